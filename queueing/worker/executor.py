"""Running a job's handler once, and turning its outcome into a `Result`."""

import asyncio
import inspect
import json
import logging
import time
import traceback
from concurrent.futures import Executor
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from queueing import texts
from queueing.conf import get_queue
from queueing.context import JobContext
from queueing.errors import Cooldown, JobError, Outage, Permanent, Retry
from queueing.kinds import why_unable
from queueing.record.run import Result, Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.replies import LIMITER_MARGIN_MS
from queueing.states import State

from .next_try import try_again, wait_for_provider

logger = logging.getLogger(__name__)

#: Seconds from claim to start that half of the limiter's margin covers.
_LATE_AFTER = LIMITER_MARGIN_MS / 2000


async def execute(run: Run, ctx: JobContext, threads: Executor) -> Result:
    """Run the handler once and return its result. Only a cancellation is raised."""
    try:
        return completed(run, await _call(run, ctx, threads))
    except Exception as exc:
        return failed(run, exc)


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


def timed_out(run: Run) -> Result:
    """Return the result of an attempt that exceeded its queue's timeout."""
    error = Retry(texts.TOOK_TOO_LONG, code="timeout")
    return _failure(run, error, error, "timeout")


async def _call(run: Run, ctx: JobContext, threads: Executor) -> Any:
    assert run.kind is not None  # `unable` has checked it
    if run.kind.is_async:
        if _starts_late(run):
            await _wait_for_limiter(run)
        run.began = time.monotonic()
        return await run.kind.handler(ctx, **run.args)
    loop = asyncio.get_running_loop()
    value = await loop.run_in_executor(threads, _in_thread, run, ctx, loop)
    return await value if inspect.isawaitable(value) else value


def _starts_late(run: Run) -> bool:
    """Return whether the limiter must count the run from now instead of from its claim."""
    return run.limited and time.monotonic() - run.claimed > _LATE_AFTER


async def _wait_for_limiter(run: Run) -> None:
    """Wait until the limiter's window lets the run start now."""
    start = scripts.count_late_start(get_queue(run.queue), run.id, run.token)
    try:
        while wait := await redis_client.arun(start):  # noqa: ASYNC110 (Redis returns how long to wait)
            await asyncio.sleep(wait)
    except redis_client.Unavailable as exc:
        logger.warning(
            "job %s starts late and is counted from its claim: Redis is unavailable (%s)", run.id, exc
        )
    run.started_at = timezone.now()


def _in_thread(run: Run, ctx: JobContext, loop: asyncio.AbstractEventLoop) -> Any:
    assert run.kind is not None
    if _starts_late(run):  # no thread was free, or the database was busy
        asyncio.run_coroutine_threadsafe(_wait_for_limiter(run), loop).result()
    close_old_connections()
    run.began = time.monotonic()
    try:
        return run.kind.handler(ctx, **run.args)
    finally:
        close_old_connections()


def completed(run: Run, value: Any) -> Result:
    """Return the result of a handler that returned `value`, which must be JSON."""
    if value is not None:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as exc:
            return failed(run, Permanent(texts.UNEXPECTED, code="result_not_json"), detail=str(exc))
    return Result(run=run, state=State.COMPLETED, value=value, ended_at=timezone.now())


def failed(run: Run, exc: Exception, *, detail: str = "") -> Result:
    """Return the result of a handler that raised `exc`: failed, or to be tried again."""
    if isinstance(exc, JobError):
        return _failure(run, exc, exc, detail=detail)
    logger.exception("job %s (%s) raised", run.id, run.kind_name, exc_info=exc)
    return _failure(run, Retry(texts.UNEXPECTED, code=type(exc).__name__), exc, detail=detail)


def _failure(
    run: Run, error: JobError, exc: Exception, outcome: str = "failed", *, detail: str = ""
) -> Result:
    result = Result(
        run=run,
        state=State.FAILED,
        outcome=outcome,
        code=error.code,
        error=error.message,
        detail=detail or "".join(traceback.format_exception(exc)),
        ended_at=timezone.now(),
    )
    if isinstance(error, Cooldown | Outage):
        result.trouble = error
    if isinstance(error, Cooldown):
        wait_for_provider(result, error.after)
    elif not isinstance(error, Permanent):
        try_again(result, floor=error.after if isinstance(error, Retry) else 0.0)
    return result


def released(run: Run, text: str) -> Result:
    """Return the result of a run that a stopping worker gives back: its attempt does not count."""
    return Result(
        run=run, state=State.WAITING, outcome="released", text=text, spent=False, ended_at=timezone.now()
    )
