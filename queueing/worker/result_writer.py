"""Writes results in batches: into the database, then to Redis, then to the owners.

While one batch is being committed the next one gathers: batches grow with the load, and the single result
of an idle worker does not wait.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from django.db import OperationalError

from queueing import texts
from queueing.conf import get_queue
from queueing.errors import Permanent
from queueing.events import delivery, messages
from queueing.monitoring.counters import WorkerCounters
from queueing.record import attempts
from queueing.record.attempts import RecordedResults
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result, Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.schedule.needs import Need
from queueing.schedule.scripts import Outcome
from queueing.states import FINISHED, State

from . import outcomes
from .active_runs import Claim
from .job_threads import JobThreads
from .provider_watch import ProviderWatch

logger = logging.getLogger(__name__)

#: Seconds between attempts to write while the database is unavailable.
_RETRY_DELAY = 1.0
#: Results written in one transaction.
_BATCH_SIZE = 500


class ResultWriter:
    """The writer of one worker. It calls `on_settled` with the results whose claims have ended.

    Once the worker is `stopping`, other workers are notified of the slots that become free: this one claims
    no more.
    """

    def __init__(
        self,
        database: DatabaseThread,
        counters: WorkerCounters,
        threads: JobThreads,
        on_settled: Callable[[Iterable[Result]], None],
        stopping: asyncio.Event,
    ) -> None:
        self._database = database
        self._counters = counters
        self._threads = threads
        self._on_settled = on_settled
        self._stopping = stopping
        self.providers = ProviderWatch()
        self._waiting: list[Result] = []
        self._held: dict[Claim, tuple[Result, asyncio.Task[None]]] = {}
        """Recorded results whose plain function runs on. It keeps its slot, so that limits hold."""
        self._has_results = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, result: Result) -> None:
        """Add a result to be written."""
        self._waiting.append(result)
        self._idle.clear()
        self._has_results.set()

    async def drain(self) -> None:
        """Wait until all results are written."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write results forever."""
        while True:
            await self._has_results.wait()
            batch, self._waiting = self._waiting[:_BATCH_SIZE], self._waiting[_BATCH_SIZE:]
            if not batch:
                self._has_results.clear()
                self._idle.set()
                continue
            await self._settle(batch)

    async def _settle(self, batch: list[Result]) -> None:
        try:
            await self.providers.judge(batch)
        except Exception:  # what the runs themselves say is then recorded
            logger.exception("the failures of providers were not judged")
        recorded = await self._write(batch)
        for result, exc in recorded.broken:
            logger.error("on_end of job %s raised", result.run.id, exc_info=exc)
            self._waiting.append(_after_broken_hook(result, exc))
        await self._end_claims(self._without_held(recorded))
        try:
            await self._report(recorded)
        except Exception:  # they are on record: no error after that may stop the writer
            logger.exception("%d results were recorded, but not all was done that follows", len(recorded.won))

    async def _end_claims(self, recorded: RecordedResults) -> None:
        """Put recorded results into Redis, and free the slots."""
        settled = recorded.won + recorded.lost
        try:
            await _update_redis(recorded, wake=self._stopping.is_set())
        except redis_client.Unavailable as exc:
            # Their leases expire, or Redis comes back empty: in both cases the record is read again.
            logger.warning(
                "Redis is unavailable (%s): %d results are in the database only", exc, len(settled)
            )
        self._on_settled(settled)

    def _without_held(self, recorded: RecordedResults) -> RecordedResults:
        """Hold the results whose plain function runs on until it ends. Return the others."""
        free = []
        for result in recorded.won:
            claim = result.run.id, result.run.token
            if self._threads.is_running(claim):
                self._held[claim] = result, asyncio.create_task(self._hold(claim))
            else:
                free.append(result)
        return recorded._replace(won=free)

    async def _hold(self, claim: Claim) -> None:
        await self._threads.ended(claim)
        await self._end_held(claim)

    async def _end_held(self, claim: Claim) -> None:
        result, _ = self._held.pop(claim)
        result.delay = max(0.0, result.delay - (time.monotonic() - result.ended))
        await self._end_claims(RecordedResults([result], [], [], []))

    async def end_held_claims(self) -> None:
        """End the claims whose functions run on: they end with the process."""
        for claim, (_, task) in list(self._held.items()):
            task.cancel()
            await self._end_held(claim)

    async def _report(self, recorded: RecordedResults) -> None:
        """Do what follows recorded results: count them, schedule what they free, notify the owners."""
        self._counters.add(recorded.won)
        if recorded.freed:
            await asyncio.to_thread(enqueue_all, recorded.freed)
        owned = [r for r in recorded.won if r.run.owner and r.outcome != "unable"]
        await delivery.emit_many([(r.run.owner, event_of_result(r)) for r in owned])

    async def _write(self, batch: list[Result]) -> RecordedResults:
        """Write a batch, however long the database is unavailable; a batch it refuses, one by one."""
        while True:
            try:
                return await self._database.run_sync(attempts.end, batch)
            except OperationalError as exc:
                logger.error("the database is unavailable (%s); writing results again soon", exc)
                await asyncio.sleep(_RETRY_DELAY)
            except Exception as exc:
                if len(batch) == 1:
                    return RecordedResults([], [], [(batch[0], exc)], [])
                return _joined([await self._write([result]) for result in batch])


def _joined(parts: Iterable[RecordedResults]) -> RecordedResults:
    joined = RecordedResults([], [], [], [])
    for part in parts:
        joined.won.extend(part.won)
        joined.lost.extend(part.lost)
        joined.broken.extend(part.broken)
        joined.freed.extend(part.freed)
    return joined


def _after_broken_hook(result: Result, exc: BaseException) -> Result:
    """Return the result of a job whose end could not be written: a failed attempt."""
    if not result.hook:  # its failure could not be written either: write only what cannot fail
        plain = Permanent(texts.UNEXPECTED, code="unwritable")
        return replace(outcomes.failed(result.run, plain), hook=False)
    again = outcomes.failed(result.run, exc)
    return replace(again, hook=False) if again.state == State.FAILED else again


async def _update_redis(recorded: RecordedResults, *, wake: bool) -> None:
    finished: dict[str, list[Outcome]] = defaultdict(list)
    delayed: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    released: dict[str, list[tuple[str, str]]] = defaultdict(list)
    behind: dict[str, list[tuple[str, str]]] = defaultdict(list)
    unable: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for r in recorded.won:
        if r.state == State.DELAYED:
            delayed[r.run.queue].append((r.run.id, r.run.token, r.delay))
        elif r.outcome == "unable":
            unable[r.run.queue].append((r.run.id, r.run.token, _need_of(r.run).as_json()))
        elif r.state == State.WAITING:
            (behind if r.lets_pass else released)[r.run.queue].append((r.run.id, r.run.token))
        else:
            finished[r.run.queue].append(Outcome(r.run.id, r.run.token, r.state, r.ran))
    for r in recorded.lost:  # finished, or another worker's: the next claim of it finds out
        released[r.run.queue].append((r.run.id, r.run.token))
    calls: list[redis_client.ScriptCall[list[str]]] = [
        scripts.finish(get_queue(q), rows, wake=wake) for q, rows in finished.items()
    ]
    calls += [scripts.retry_later(q, rows) for q, rows in delayed.items()]
    calls += [scripts.release(q, rows) for q, rows in released.items()]
    calls += [scripts.release(q, rows, behind=True) for q, rows in behind.items()]
    calls += [scripts.park_unable(q, rows) for q, rows in unable.items()]
    for call in calls:
        await redis_client.arun(call)


def _need_of(run: Run) -> Need:
    return Need(run.queue, run.kind_name, run.version, sorted(run.args))


def event_of_result(result: Result) -> messages.Event:
    """Return the event that the owner gets: the job has ended, or is tried again."""
    if result.state in FINISHED:
        return messages.terminal_event(result)
    run = result.run
    return messages.retrying_event(
        run,
        attempt=run.attempt if result.spent else run.attempt - 1,
        delay=result.delay - (time.monotonic() - result.ended),
        reason=result.error,
        code=result.code or result.outcome,
    )
