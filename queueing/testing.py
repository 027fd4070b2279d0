"""Helpers for an application's own tests: run jobs without workers, and assert what was submitted.

    from queueing.testing import assert_submitted, drain, without_redis

    def test_order_placed_sends_a_confirmation(db):
        with without_redis():
            place_order(order_id="7")
            assert_submitted("order.confirm", args={"order_id": "7"})
            drain()

Jobs run in the calling process by the code that workers use: arguments, attempts, timeouts, `on_end`,
dependencies and retries behave as in production. Streamed text and progress go nowhere. docs/testing.md
has the details.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, NoReturn
from unittest import mock

from asgiref.sync import async_to_sync, sync_to_async
from django.db.models import Q, QuerySet
from django.test import override_settings
from django.utils import timezone

from . import submit as submissions
from .context import JobContext
from .control import verbs
from .errors import Rejected
from .events.waits import standing
from .limits import backpressure
from .models import Job
from .record import attempts, not_started, pruning
from .record.run import Result, Run
from .schedule import redis_client
from .schedule.scripts import Claimed
from .states import State
from .values.ids import new_id
from .worker.runs import executor, outcomes

__all__ = [
    "assert_not_submitted",
    "assert_submitted",
    "drain",
    "inline",
    "prune",
    "rejecting",
    "submitted",
    "without_redis",
]

#: Runs of one `drain`, after which it gives up: jobs that submit each other would never end.
MAX_RUNS = 1_000


def submitted(kind: str = "", **fields: Any) -> list[Job]:
    """Return the jobs on record, oldest first, of this `kind` and with these fields (`owner="alice"`)."""
    rows = Job.objects.filter(**fields).order_by("id")
    return list(rows.filter(kind=kind) if kind else rows)


def assert_submitted(kind: str, *, args: dict[str, Any] | None = None, count: int = 1, **fields: Any) -> None:
    """Fail unless exactly `count` jobs of `kind` with these `args` and fields are on record."""
    found = [job for job in submitted(kind, **fields) if args is None or job.args == args]
    if len(found) != count:
        known = "\n".join(f"  {job.kind} {job.args} owner={job.owner!r}" for job in submitted()) or "  none"
        wanted = f"{kind} {args or ''} {fields or ''}".strip()
        raise AssertionError(f"{len(found)} jobs of {wanted}, expected {count}. On record:\n{known}")


def assert_not_submitted(kind: str, **fields: Any) -> None:
    """Fail if a job of `kind` with these fields is on record."""
    assert_submitted(kind, count=0, **fields)


def drain(*, queues: Collection[str] = (), delayed: bool = False) -> list[Job]:
    """Run the waiting jobs of `queues` (all of them by default), and those that they submit, to their end.

    Jobs run one after the other, by priority and then by age. With `delayed`, delayed jobs and retries run
    at once instead of at their time. Jobs that wait for others run when these have ended. Paused queues
    and limits do not matter. Return the jobs that ran, as they are now, in the order of their first run.

    Raise `AssertionError` after `MAX_RUNS` runs, and for a job that this code cannot do, which would wait in
    production. Call it from synchronous code.
    """
    ran: list[Any] = []
    for _ in range(MAX_RUNS):
        if not (job := _next_job(queues, delayed, ran)):
            jobs = Job.objects.in_bulk(ran)
            return [jobs[pk] for pk in dict.fromkeys(ran) if pk in jobs]
        ran.append(job.pk)
        _run(job)
    raise AssertionError(f"{MAX_RUNS} runs, and jobs still wait. Do they submit each other?")


@contextmanager
def inline() -> Iterator[None]:
    """Run each job in the calling process as soon as its transaction commits. Redis is not needed.

    Inside Django's `TestCase` transactions never commit: use `captureOnCommitCallbacks(execute=True)`,
    `TransactionTestCase`, or `drain`.
    """
    running = False

    def enter_line(job: Job) -> standing.Standing:
        if not job.unfinished_parents:
            run_now([job])
        return standing.Standing(None, standing.UNKNOWN_TO_REDIS)

    def run_now(jobs: Sequence[Job]) -> int:
        nonlocal running
        if not running:  # a job that a job submits is found by the `drain` that runs it
            running = True
            try:
                drain()
            finally:
                running = False
        return len(jobs)

    with (
        without_redis(),
        mock.patch.object(submissions, "enqueue_all", run_now),
        mock.patch.object(standing, "enter_line", enter_line),
        mock.patch.object(verbs, "enqueue_all", run_now),
    ):
        yield


@contextmanager
def without_redis() -> Iterator[None]:
    """Make Redis unavailable at once, instead of after a connection attempt, and keep events in memory.

    What the engine does without Redis still holds: submitted jobs are kept in the record.
    """

    def unavailable(*_: Any) -> NoReturn:
        raise ConnectionError("queueing.testing.without_redis() is active")

    async def unavailable_soon(*_: Any) -> NoReturn:
        unavailable()

    layers = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    with (
        mock.patch.object(redis_client, "client", unavailable),
        mock.patch.object(redis_client, "aclient", unavailable),
        mock.patch.object(redis_client, "run_many", unavailable),
        mock.patch.object(redis_client, "arun_many", unavailable_soon),
        override_settings(CHANNEL_LAYERS=layers),
    ):
        yield


@contextmanager
def rejecting(
    code: str = "queue_full", *, message: str = "The queue is full.", retry_after: float = 7.0
) -> Iterator[None]:
    """Refuse each submission with `Rejected(code, message, retry_after)`."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise Rejected(code, message, retry_after)

    with mock.patch.object(backpressure, "admit", refuse):
        yield


def prune() -> None:
    """Delete old rows as workers do once an hour, with the steps of `register_pruning`."""
    for step in (pruning.prune, *pruning.registered_steps()):
        while step():
            continue


def _next_job(queues: Collection[str], delayed: bool, ran: Collection[Any]) -> Job | None:
    due = Q(state=State.WAITING)
    ripe = Q(state=State.DELAYED, unfinished_parents=0)
    due |= ripe if delayed else ripe & Q(run_at__lte=timezone.now())
    rows: QuerySet[Job] = Job.objects.filter(due).order_by("priority", "id")
    if queues:
        rows = rows.filter(queue__in=queues)
    if not delayed:  # what a cooldown gave back waits for its time
        rows = rows.exclude(id__in=ran, state=State.WAITING)
    return rows.first()


def _run(job: Job) -> None:
    token = f"testing/{new_id().hex}"
    if not (runs := attempts.begin([Claimed(job.id.hex, job.queue, 0.0)], token)):
        not_started.end_expired([job.id])
    for run in runs:
        if unable := outcomes.unable(run):
            attempts.end([unable])
            raise AssertionError(f"{unable.error} ({unable.code})")
        # Workers close stale connections around plain functions; here that would end the test's transaction.
        with mock.patch.object(executor, "tidy_connections"):
            result = async_to_sync(_execute)(run)
        recorded = attempts.end([result])
        if recorded.broken:
            raise recorded.broken[0][1]


async def _execute(run: Run) -> Result:
    lines: list[tuple[Any, str]] = []

    timeout, loop = asyncio.timeout(run.timeout), asyncio.get_running_loop()

    def extend(seconds: float) -> None:
        timeout.reschedule((timeout.when() or loop.time()) + seconds)

    def emit(name: str, fields: dict[str, Any]) -> None:
        if name == "log":
            lines.append((timezone.now(), fields["line"]))
        elif name == "extend":
            loop.call_soon_threadsafe(extend, fields["seconds"])

    context = JobContext(
        job_id=run.id,
        kind=run.kind_name,
        owner=run.owner,
        request_id=run.request_id,
        attempt=run.attempt,
        max_attempts=run.max_attempts,
        emit=emit,
        pace=_no_pause,
        version=run.version,
        meta=run.meta,
        token=run.token,
        queue=run.queue,
        priority=run.priority,
        submitted_at=run.created_at,
        started_at=run.started_at,
    )
    try:
        async with timeout:
            result = await executor.execute(run, context, _CallersThread())
    except TimeoutError:
        result = outcomes.timed_out(run)
    except asyncio.CancelledError:
        result = outcomes.cancelled_itself(run)
    except GeneratorExit as exc:
        result = outcomes.failed(run, exc)
    result.text, result.lines = context.text, lines
    return result


async def _no_pause() -> None:
    """Return at once: nothing is sent."""


class _CallersThread(Executor):
    """Run plain functions in the thread that called `drain`, where its database transaction is open."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        async def call() -> None:
            try:
                future.set_result(await sync_to_async(fn)(*args, **kwargs))
            except BaseException as exc:
                future.set_exception(exc)

        self._task = asyncio.get_running_loop().create_task(call())
        return future
