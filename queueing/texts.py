"""The sentences that owners of jobs read."""

PARENT_FAILED = "An earlier step did not complete, so this one was not tried."
UNEXPECTED = "Something went wrong on our side while working on this."
WORKER_LOST = "The worker was lost."


def queue_full(wait: float) -> str:
    """Return the refusal of a full queue; `wait` is in seconds."""
    return f"The queue is full. Please try again in about {wait:.0f} s."


def owner_limit(unfinished: int) -> str:
    """Return the refusal of an owner who has the maximum number of unfinished jobs."""
    return f"You already have {unfinished} requests in line. Please wait for one to finish."
