"""A kind of job. Modules of this name are found in all installed applications."""

from queueing.api import JobContext, job


@job("hello.greet", queue="default")
async def greet(ctx: JobContext, *, name: str) -> dict[str, str]:
    """Return a greeting."""
    return {"greeting": f"Hello, {name}"}
