"""The sentences of the admin's pages that are not in templates."""

from collections.abc import Sequence

REDIS_UNAVAILABLE = (
    "Redis is unavailable. The action is recorded and applies when a worker reaches Redis again."
)
AUDIT_SEARCH_HELP = "The name of an operator, or the complete id of a job"
#: Refusals that are named; the others are counted.
_MAX_NAMED = 5


def search_help(newest: int) -> str:
    """Return the help of the search for jobs."""
    return (
        f"A complete job id or owner. Among the newest {newest:,} jobs also any owner, a request id "
        "or an error code"
    )


def not_found(job: str) -> str:
    """Return the refusal for a job that was removed meanwhile."""
    return f"{job}: does not exist any more"


def refused(reasons: Sequence[str]) -> str:
    """Return the sentence about jobs that were not changed."""
    more = f" and {len(reasons) - _MAX_NAMED} more" if len(reasons) > _MAX_NAMED else ""
    return f"Not changed: {'; '.join(reasons[:_MAX_NAMED])}{more}."


def too_many_jobs(most: int) -> str:
    """Return the answer to a selection that is too large."""
    return f"An action takes at most {most} jobs. Select fewer, or use the dashboard."
