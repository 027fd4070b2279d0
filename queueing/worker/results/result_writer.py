"""Writes results in batches: into the database, then to Redis, then to the owners.

While one batch is being committed the next one gathers: batches grow with the load, and the single result
of an idle worker does not wait.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from queueing import texts
from queueing.errors import Permanent
from queueing.events import delivery, messages
from queueing.monitoring.counters import WorkerCounters
from queueing.record import attempts
from queueing.record.attempts import RecordedResults
from queueing.record.availability import Availability
from queueing.record.database_thread import DatabaseThread
from queueing.record.outage import is_database_error
from queueing.record.run import Result
from queueing.schedule import redis_client
from queueing.schedule.enqueue import enqueue_all
from queueing.states import FINISHED, State
from queueing.worker.runs import outcomes
from queueing.worker.runs.active_runs import Claim
from queueing.worker.runs.job_threads import JobThreads

from .provider_watch import ProviderWatch
from .redis_update import update_redis

logger = logging.getLogger(__name__)

#: How often a write is tried that the database refuses, and seconds in between.
_TRIES, _RETRY_DELAY = 3, 0.1
#: Results of one run that may be refused; the next ones wait for this number of seconds.
_MAX_REFUSALS, _UNWRITABLE_DELAY = 3, 30.0
#: The code of a failure whose cause is that the database refused the result.
_UNWRITABLE = "unwritable"
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
        availability: Availability | None = None,
    ) -> None:
        self._database = database
        self._availability = availability or Availability(database)
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

    @property
    def waiting(self) -> list[Result]:
        """The results that were not passed to the database yet."""
        return list(self._waiting)

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
            logger.error("the end of job %s was not written", result.run.id, exc_info=exc)
            self._try_again(result, exc)
        await self._end_claims(self._without_held(recorded))
        try:
            await self._report(recorded)
        except Exception:  # they are on record: no error after that may stop the writer
            logger.exception("%d results were recorded, but not all was done that follows", len(recorded.won))

    async def _end_claims(self, recorded: RecordedResults) -> None:
        """Put recorded results into Redis, and free the slots."""
        settled = recorded.won + recorded.lost
        try:
            await update_redis(recorded, wake=self._stopping.is_set())
        except redis_client.Unavailable as exc:
            # Their leases expire, or Redis comes back empty: in both cases the record is read again.
            logger.warning(
                "Redis is unavailable (%s): %d results are in the database only", exc, len(settled)
            )
        self._on_settled(settled)

    def _without_held(self, recorded: RecordedResults) -> RecordedResults:
        """Hold the results whose plain function runs on until it ends. Return the others."""
        if not self._threads.is_any_running:
            return recorded
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

    def _try_again(self, result: Result, exc: BaseException) -> None:
        again = _after_refusal(result, exc)
        if again.refusals < _MAX_REFUSALS:
            self._waiting.append(again)
        else:  # not even the shortest failure could be written
            asyncio.get_running_loop().call_later(_UNWRITABLE_DELAY, self.put, again)

    async def _write(self, batch: list[Result]) -> RecordedResults:
        """Write a batch, however long the database is unavailable. What it refuses is written one by one."""
        recorded, failures = RecordedResults([], [], [], []), 0
        while True:
            await self._availability.wait()
            done, batch, error = await self._try_to_write(batch)
            recorded = _joined([recorded, done])
            if error is None:
                return recorded
            if is_database_error(error):
                if await self._availability.refuses_all(error, batch[0].run.id):
                    continue
                failures += 1  # the error may have been the end of a connection, so the same is tried again
                if failures < _TRIES:
                    await asyncio.sleep(_RETRY_DELAY * failures)
                    continue
            if len(batch) == 1:
                recorded.broken.append((batch[0], error))
                return recorded
            return _joined([recorded, *[await self._write([result]) for result in batch]])

    async def _try_to_write(
        self, batch: list[Result]
    ) -> tuple[RecordedResults, list[Result], BaseException | None]:
        """Return what was recorded, the results that the database refused, and its error."""
        try:
            recorded = await self._database.run_sync(attempts.end, batch)
        except Exception as exc:
            return RecordedResults([], [], [], []), batch, exc
        refused = [(result, exc) for result, exc in recorded.broken if is_database_error(exc)]
        own = [(result, exc) for result, exc in recorded.broken if not is_database_error(exc)]
        error = refused[0][1] if refused else None
        return recorded._replace(broken=own), [result for result, _ in refused], error


def _joined(parts: Iterable[RecordedResults]) -> RecordedResults:
    joined = RecordedResults([], [], [], [])
    for part in parts:
        joined.won.extend(part.won)
        joined.lost.extend(part.lost)
        joined.broken.extend(part.broken)
        joined.freed.extend(part.freed)
    return joined


def _after_refusal(result: Result, exc: BaseException) -> Result:
    """Return the result of a job whose end could not be written: a failed attempt."""
    if result.refusals:  # its failure could not be written either: write only what cannot fail
        again = outcomes.failed(result.run, Permanent(texts.UNEXPECTED, code=_UNWRITABLE))
    else:
        again = outcomes.failed(result.run, exc)
        if is_database_error(exc) and again.spent:
            again.code = _UNWRITABLE
    again.hook = again.state != State.FAILED
    again.refusals = result.refusals + 1
    return again


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
