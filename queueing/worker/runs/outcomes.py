"""Turn what left a handler into the `Result` of its run. Nothing here raises."""

import json
import logging
import traceback
from typing import Any

from django.utils import timezone

from queueing import texts
from queueing.errors import Cooldown, JobError, Outage, Permanent, Retry
from queueing.kinds import why_unable
from queueing.record.outage import is_outage
from queueing.record.run import Result, Run
from queueing.states import State
from queueing.values.cleaning import as_json, clean_text

from .next_try import try_again, wait_for_database, wait_for_provider

logger = logging.getLogger(__name__)

#: Bytes of JSON. Larger results belong into a table or a file of the application.
MAX_RESULT_SIZE = 2**20
#: Characters of what is kept of an error: its code (a column of this size), its sentence, its traceback.
_MAX_CODE, _MAX_MESSAGE, _MAX_DETAIL = 64, 2_000, 50_000
#: Characters of the name of its class (a column of this size).
_MAX_CLASS = 255
#: The longest wait that an error can name, in seconds: a year.
_MAX_WAIT = 366 * 24 * 3600.0


def completed(run: Run, value: Any) -> Result:
    """Return the result of a handler that returned `value`, in the form in which it is stored and sent.

    A value that is not JSON fails the job: another attempt would return the same.
    """
    if value is not None:
        try:
            if (size := len(json.dumps(value, allow_nan=False))) > MAX_RESULT_SIZE:
                detail = f"the result is {size} bytes of JSON, more than {MAX_RESULT_SIZE}"
                error = Permanent(texts.UNEXPECTED, code="result_too_large")
                return failed(run, error, detail=detail, raised=ValueError)
            value = as_json(value)
        except Exception as exc:
            error = Permanent(texts.UNEXPECTED, code="result_not_json")
            return failed(run, error, detail=clean_text(exc), raised=type(exc))
    return Result(run=run, state=State.COMPLETED, value=value, ended_at=timezone.now())


def failed(
    run: Run, exc: BaseException, *, detail: str = "", raised: type[BaseException] | None = None
) -> Result:
    """Return the result of a handler that raised `exc`: failed, or to be tried again.

    `raised` is the class that the record names, where it is not that of `exc`.
    """
    error = (
        exc
        if isinstance(exc, JobError) and _is_complete(exc)
        else Retry(texts.UNEXPECTED, code=type(exc).__name__)
    )
    detail = detail or traceback_of(exc)
    if error is not exc and is_outage(exc):
        logger.warning("job %s (%s) needs the database: %s", run.id, run.kind_name, clean_text(exc))
        result = _failure(run, Permanent(texts.NO_DATABASE, code="database"), detail)
        result.exception = name_of_class(raised or type(exc))
        wait_for_database(result)
        return result
    if error is not exc:
        logger.error("job %s (%s) raised\n%s", run.id, run.kind_name, detail)
    else:
        logger.warning("attempt %d of %d failed (%s)", run.attempt, run.max_attempts, clean_text(error.code))
    result = _failure(run, error, detail, cause=exc)
    result.exception = name_of_class(raised or type(exc))
    return result


def name_of_class(raised: type[BaseException]) -> str:
    """Return the dotted name of the class of an exception, as it is stored."""
    return clean_text(f"{raised.__module__}.{raised.__qualname__}", _MAX_CLASS)


def _is_complete(error: JobError) -> bool:
    """Return whether the error has its fields: a subclass may forget to set them."""
    try:
        return hasattr(error, "message") and hasattr(error, "code")
    except Exception:  # a property of the handler's class
        return False


def traceback_of(exc: BaseException) -> str:
    """Return the traceback as a text that can be stored."""
    try:
        text = "".join(traceback.format_exception(exc))
    except Exception:  # for example exceptions that are nested too deep
        text = f"{type(exc).__name__}: its traceback cannot be shown"
    return clean_text(text, _MAX_DETAIL)


def cancelled_itself(run: Run) -> Result:
    """Return the result of a handler that left with a cancellation although the run was not stopped."""
    return failed(run, RuntimeError("the handler cancelled itself"))


def timed_out(run: Run) -> Result:
    """Return the result of an attempt that exceeded its timeout."""
    error = Retry(texts.TOOK_TOO_LONG, code="timeout")
    return _failure(run, error, traceback_of(error), "timeout")


def released(run: Run) -> Result:
    """Return the result of a run that a stopping worker gives back: its attempt does not count."""
    return Result(run=run, state=State.WAITING, outcome="released", spent=False, ended_at=timezone.now())


def unable(run: Run) -> Result | None:
    """Return the result of a run that this process cannot do, and that spends no attempt; None if it can."""
    reason = why_unable(run.kind_name, run.version, tuple(run.args))
    if not reason:
        return None
    return Result(
        run=run,
        state=State.WAITING,
        outcome="unable",
        code=reason,
        error=texts.unable(run.kind_name, run.version),
        spent=False,
        ended_at=timezone.now(),
    )


def _failure(
    run: Run, error: JobError, detail: str, outcome: str = "failed", *, cause: BaseException | None = None
) -> Result:
    result = Result(
        run=run,
        state=State.FAILED,
        outcome=outcome,
        code=clean_text(error.code, _MAX_CODE),
        error=clean_text(error.message, _MAX_MESSAGE),
        detail=detail,
        ended_at=timezone.now(),
    )
    if isinstance(error, Cooldown | Outage):
        result.trouble = error
    after = _seconds(getattr(error, "after", 0.0))
    if isinstance(error, Cooldown):
        error.after = after
        wait_for_provider(result, after)
    elif not isinstance(error, Permanent):
        try_again(result, cause or error, floor=after)
    return result


def _seconds(wait: Any) -> float:
    """Return the wait that an error names as a number from 0 to a year; 0 if it is not a number."""
    try:
        return min(max(0.0, float(wait)), _MAX_WAIT)  # of 0.0 and NaN, `max` returns 0.0
    except (TypeError, ValueError, OverflowError):
        return 0.0
