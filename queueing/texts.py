"""Sentences of the engine that owners of jobs read. They stand together so that they can be translated."""

UNEXPECTED = "Something went wrong on our side while working on this."
TOOK_TOO_LONG = "This took too long and was stopped."
KILLS_WORKERS = "Work on this stopped unexpectedly each time, so it is not tried again."
WORKER_LOST = "Work on this was interrupted, and starts again."
PROVIDER_DOWN = "The service that works on this did not answer for a long time."
PROVIDER_BUSY = "The service that works on this had too many requests for a long time."
EXPIRED = "This could not be started in time, so it was not started."
NO_DATABASE = "The database did not answer."
PARENT_FAILED = "An earlier step did not complete, so this step was not started."
#: What the audit log says instead of an owner whose data was erased.
ERASED = "(erased)"
PARENT_DELETED = "An earlier step was deleted, so this step was not started."


def worker_died(jobs: int) -> str:
    """Return the error of a run whose worker died while it ran this number of jobs."""
    if jobs == 1:
        return "Its worker died. This was the only job that it ran."
    return f"Its worker died. It ran {jobs} jobs, and one of them may be the reason. This job now runs alone."


def unable(kind: str, version: int) -> str:
    """Return why a worker gave a job back that other workers may be able to do."""
    return f"This worker cannot do {kind!r}, version {version}, with these arguments."


def queue_full(retry_after: float) -> str:
    """Return the refusal of a queue that has reached its hard limit; `retry_after` is in seconds."""
    return f"The queue is full. Please try again in about {retry_after:.0f} s."


def owner_limit(unfinished: int) -> str:
    """Return the refusal of an owner who has `unfinished` jobs."""
    return f"You already have {unfinished} requests in line. Please wait for one to finish."


def share_limit(unfinished: int) -> str:
    """Return the refusal of an owner whose share has `unfinished` jobs."""
    return f"You and others share a place in line, with {unfinished} requests. Please wait for one to finish."
