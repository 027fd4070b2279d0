"""The only kind of this project."""

from queueing.api import JobContext, job


@job("alone.hello", queue="default")
async def hello(ctx: JobContext, *, name: str) -> dict[str, str]:
    """Stream a greeting, and return it."""
    ctx.delta(f"Hello, {name}")
    return {"response": f"Hello, {name}"}
