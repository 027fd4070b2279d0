"""The sentences of the dashboard that are not in its templates."""

from collections.abc import Sequence

NOT_SIGNED_IN = "You are not signed in as staff. Sign in again, then repeat the action."
NOT_ALLOWED = "You can view this page, but you need the permission to operate queues for this action."
PROVE_FIRST = "Confirm that it is you, then repeat the action."
NO_QUEUE = "This queue is not in the settings."
NO_JOB = "This job does not exist any more."
NOT_A_FORM = "The request must be a JSON object with text values."
CHANGED_MEANWHILE = "Another person may have changed it."
REDIS_UNAVAILABLE = "Redis is unavailable. Try again later. Repeating the action is safe."
DATABASE_UNAVAILABLE = "The database is unavailable. The page shows older data and tries again every second."


def no_action(name: str) -> str:
    """Return the answer to an action that the dashboard does not offer."""
    return f"Unknown action: {name}."


def too_long(characters: int) -> str:
    """Return the answer to a note that is too long."""
    return f"A note can have at most {characters} characters."


def type_to_confirm(queue: str) -> str:
    """Return the answer to a missing confirmation."""
    return f"Type {queue} to confirm."


def choose_one(options: Sequence[str]) -> str:
    """Return the answer to an unknown option."""
    return f"Choose one of {', '.join(options)}."


def whole_number(least: int, most: int | None = None) -> str:
    """Return the answer to a field that is not a number."""
    return (
        f"Enter a whole number, {least} or more."
        if most is None
        else f"Enter a whole number, {least} to {most}."
    )


def limit_hint(name: str, settings: str) -> str:
    """Return the hint below a field of the form of limits."""
    hint = {
        "concurrency": "",
        "limiter": " Enter starts/seconds, for example 5/60, or 0 for no limit.",
    }.get(name, " Enter 0 for no limit.")
    return f"Default: {settings}.{hint}"
