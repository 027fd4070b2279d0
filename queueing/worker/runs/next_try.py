"""What a failure means for its job: another attempt, a wait for the provider or the database, or the end."""

import logging

from queueing import texts
from queueing.conf import Backoff, get_queue
from queueing.errors import Cooldown
from queueing.limits.backoff import delay_before_retry
from queueing.options import stored_backoff
from queueing.record.run import Result, Run
from queueing.states import State
from queueing.values.numbers import YEAR, is_number

logger = logging.getLogger(__name__)

#: Minimum seconds until a job runs again that could not use the database.
_DATABASE_DELAY = 0.5


def try_again(result: Result, error: BaseException, *, floor: float = 0.0) -> None:
    """Let the job try again with its backoff; fail it when it has no attempt left or the backoff gives up."""
    run = result.run
    result.spent, result.state = True, State.FAILED
    if run.attempt >= run.max_attempts:
        return
    delay = _delay(run, error, floor)
    if delay is not None:
        result.state, result.delay = State.DELAYED, delay


def _delay(run: Run, error: BaseException, floor: float) -> float | None:
    """Return the wait after a failed attempt, by the job's backoff, else its kind's, else its queue's."""
    queue = get_queue(run.queue).backoff
    backoff = stored_backoff(run.options or {}) or (run.kind and run.kind.options.backoff) or queue
    if isinstance(backoff, Backoff):
        return delay_before_retry(backoff, run.attempt, floor=floor)
    try:
        delay = backoff(run.attempt, error)
        if delay is None:
            return None
        if is_number(delay) and 0 <= delay <= YEAR:
            return max(float(delay), floor)
        logger.error("the backoff of %s returned %.100r: the queue's is used", run.kind_name, delay)
    except BaseException:  # nothing that the function of a kind does may stop its worker
        logger.exception("the backoff of %s raised: the queue's is used", run.kind_name)
    return delay_before_retry(queue, run.attempt, floor=floor)


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
