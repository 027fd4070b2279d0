"""Running a job's handler once."""

import asyncio
import inspect
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from typing import Any

from django.utils import timezone

from queueing.conf import get_queue
from queueing.context import JobContext
from queueing.record.database_thread import tidy_connections
from queueing.record.run import Result, Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.replies import LIMITER_MARGIN_MS

from . import outcomes
from .forks import exit_if_forked

logger = logging.getLogger(__name__)

#: Seconds from claim to start that half of the limiter's margin covers.
_LATE_AFTER = LIMITER_MARGIN_MS / 2000


async def execute(run: Run, ctx: JobContext, threads: Executor) -> Result:
    """Run the handler once and return its result, in whichever way it ends.

    Two are raised. The caller knows why it has cancelled the run. And a `GeneratorExit` that a task throws
    into a coroutine arrives at the outermost coroutine only: the inner ones are closed.
    """
    try:
        value = await _call(run, ctx, threads)
    except BaseException as exc:
        exit_if_forked(exc)
        if isinstance(exc, asyncio.CancelledError | GeneratorExit):
            raise
        return outcomes.failed(run, exc)
    exit_if_forked()
    return outcomes.completed(run, value)


async def _call(run: Run, ctx: JobContext, threads: Executor) -> Any:
    assert run.kind is not None  # `unable` has checked it
    if run.kind.is_async:
        if _starts_late(run):
            await _wait_for_limiter(run)
        run.began = time.monotonic()
        return await run.kind.handler(ctx, **run.args)
    loop = asyncio.get_running_loop()
    value = await in_thread(threads, _call_plain, run, ctx, loop)
    return await value if inspect.isawaitable(value) else value


async def in_thread(threads: Executor, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what the plain function returns on a thread, in a context of its own (language, time zone, …).

    What it raises is carried by hand: the future of an executor takes no `StopIteration`.
    """
    context = copy_context()

    def call() -> tuple[Any, BaseException | None]:
        tidy_connections()
        value, error = None, None
        try:
            value = context.run(function, *args, **kwargs)
        except BaseException as exc:
            error = exc
        exit_if_forked(error)
        tidy_connections()
        return value, error

    value, error = await asyncio.get_running_loop().run_in_executor(threads, call)
    if error is not None:
        raise error
    return value


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


def _call_plain(run: Run, ctx: JobContext, loop: asyncio.AbstractEventLoop) -> Any:
    assert run.kind is not None
    if _starts_late(run):  # the database was busy, for example
        asyncio.run_coroutine_threadsafe(_wait_for_limiter(run), loop).result()
    if ctx.cancelled:  # while it waited: its outcome is decided
        raise asyncio.CancelledError
    run.began = time.monotonic()
    return run.kind.handler(ctx, **run.args)
