"""What a failure means for its job: another attempt, a wait for the provider or the database, or the end."""

from queueing import texts
from queueing.conf import get_queue
from queueing.errors import Cooldown
from queueing.limits.backoff import delay_before_retry
from queueing.record.run import Result
from queueing.states import State

#: Minimum seconds until a job runs again that could not use the database.
_DATABASE_DELAY = 0.5


def try_again(result: Result, *, floor: float = 0.0) -> None:
    """Let the job try again with the queue's backoff, or fail when it has no attempt left."""
    run = result.run
    result.spent = True
    if run.attempt >= run.max_attempts:
        result.state = State.FAILED
        return
    result.state = State.DELAYED
    result.delay = delay_before_retry(get_queue(run.queue).backoff, run.attempt, floor=floor)


def wait_for_provider(result: Result, seconds: float, *, alone: bool = False) -> None:
    """Let the job wait without spending an attempt: in line, which does not move, or delayed, if `alone`."""
    result.state, result.spent = State.DELAYED if alone else State.WAITING, False
    result.outcome = "cooldown" if isinstance(result.trouble, Cooldown) else "outage"
    result.delay = seconds


def wait_for_database(result: Result) -> None:
    """Let the job of a failed result wait without spending an attempt, up to its queue's patience."""
    run, queue = result.run, get_queue(result.run.queue)
    given_back = run.number - run.attempt + 1
    delay = delay_before_retry(queue.backoff, given_back, floor=_DATABASE_DELAY)
    if (result.ended_at - run.created_at).total_seconds() + delay <= queue.patience:
        result.state, result.outcome, result.delay, result.spent = State.DELAYED, "database", delay, False


def has_patience(result: Result, seconds: float, lasts: float) -> bool:
    """Return whether the job may wait `seconds` for a provider that has failed for `lasts` seconds."""
    age = (result.ended_at - result.run.created_at).total_seconds()
    return min(age, lasts) + seconds <= get_queue(result.run.queue).patience


def end_of_patience(result: Result) -> None:
    """Fail a job that has waited for its provider for longer than its queue's patience."""
    result.state, result.outcome, result.spent = State.FAILED, "failed", True
    if isinstance(result.trouble, Cooldown):
        result.code, result.error = "patience", texts.PROVIDER_BUSY
    else:
        result.code, result.error = "provider_down", texts.PROVIDER_DOWN
