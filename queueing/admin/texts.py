"""The sentences of the admin's pages that are not in templates."""

from collections.abc import Sequence

REDIS_UNAVAILABLE = (
    "Redis is unavailable. The action is recorded and applies when a worker reaches Redis again."
)
LISTED_ONLY = "One of the functions of QUEUEING['TASKS']. Workers run no other."
NOT_ARGUMENTS = "Write arguments as Python literals, such as 1, 'two' or a=1, b='two'."
AUDIT_SEARCH_HELP = "The name of an operator, or the complete id of a job"
#: Refusals that are named; the others are counted.
_MAX_NAMED = 5


def search_help(newest: int) -> str:
    """Return the help of the search for jobs."""
    return (
        f"A complete job id, owner or tag. Among the newest {newest:,} jobs also any owner, a request id "
        "or an error code"
    )


def filtered(newest: int) -> str:
    """Return the subtitle of a list with filters."""
    return f"Filtered among the newest {newest:,}"


def not_found(job: str) -> str:
    """Return the refusal for a job that was removed meanwhile."""
    return f"{job}: does not exist any more"


def no_options(names: Sequence[str]) -> str:
    """Return the refusal of arguments that are options of Django-Q2."""
    return f"These are options of Django-Q2, not arguments of the function: {', '.join(names)}."


def not_run_again(task: str) -> str:
    """Return the refusal for a task of Django-Q2."""
    return f"{task}: its function is not in QUEUEING['TASKS'], or its arguments cannot be read."


def refused(reasons: Sequence[str]) -> str:
    """Return the sentence about jobs that were not changed."""
    more = f" and {len(reasons) - _MAX_NAMED} more" if len(reasons) > _MAX_NAMED else ""
    return f"Not changed: {'; '.join(reasons[:_MAX_NAMED])}{more}."


def too_many_jobs(most: int) -> str:
    """Return the answer to a selection that is too large."""
    return f"An action takes at most {most} jobs. Select fewer, or use the dashboard."


RECURRING_KIND = "What runs at each tick."
RECURRING_ZONE = "The zone of the cron expression."
RECURRING_HELP = {
    "cron": (
        "Minute, hour, day of the month, month, day of the week: “0 3 * * *” is 03:00 each day. "
        "Or leave it empty, and give an interval."
    ),
    "every": "The interval, counted from 1970: 3600 is each full hour.",
    "args": "A JSON object: {} for none.",
    "owner": "Who receives the events of the jobs. Empty for jobs of the system.",
    "grace": "The greatest age at which a missed tick runs. Empty: half of the interval (2 min to 2 h).",
}
RECURRING_MISSED = [
    ("one", "one job for all missed ticks"),
    ("all", "a job for each missed tick, at most 100"),
    ("skip", "no job"),
]
RECURRING_OVERLAP = [
    ("skip", "skip the tick"),
    ("queue", "let its job wait for the earlier ones"),
    ("allow", "run both"),
]


def not_performed(reason: str) -> str:
    """Return the answer to an action that was not possible."""
    return f"Not done: {reason}"
