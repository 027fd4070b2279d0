"""Outcomes, many at a time: into the record, then out of Redis, then to the owners.

While one batch is being committed the next gathers, so the batches grow with the load and an idle
worker's single outcome waits for nobody.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from django.db import Error as DatabaseError
from django.db import OperationalError
from django.utils import timezone

from queueing import texts
from queueing.conf import get_conf, get_queue
from queueing.errors import Permanent
from queueing.events import messages
from queueing.monitoring.counters import WorkerCounters
from queueing.record import attempts
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.schedule.scripts import Outcome
from queueing.states import State

from . import executor

logger = logging.getLogger(__name__)

#: Seconds between tries while the database does not take a batch.
_TRY_AGAIN = 1.0
_BATCH = 500


class Recorder:
    """One a worker. `done` hears of every result that is dealt with, whatever became of it.

    Once the worker is `stopping` others are told of the room that ends make: it claims no more itself.
    """

    def __init__(
        self,
        database: DatabaseThread,
        account: WorkerCounters,
        done: Callable[[Iterable[Result]], None],
        stopping: asyncio.Event,
    ) -> None:
        self._database = database
        self._account = account
        self._done = done
        self._stopping = stopping
        self._waiting: list[Result] = []
        self._something = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, result: Result) -> None:
        """Hand over a result."""
        self._waiting.append(result)
        self._idle.clear()
        self._something.set()

    async def drained(self) -> None:
        """Wait until everything handed over is dealt with."""
        await self._idle.wait()

    async def run(self) -> None:
        """Record results for ever."""
        while True:
            await self._something.wait()
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            if not batch:
                self._something.clear()
                self._idle.set()
                continue
            await self._settle(batch)

    async def _settle(self, batch: list[Result]) -> None:
        recorded = await self._write(batch)
        for result, exc in recorded.broken:
            logger.error("on_end of job %s raised", result.run.id, exc_info=exc)
            self._waiting.append(_without_hook(result, exc))
        settled = recorded.won + recorded.lost
        self._account.add(recorded.won)
        try:
            await _tell_redis(recorded, wake=self._stopping.is_set())
        except redis_client.Unavailable as exc:
            # Its leases run out, or it comes back empty: either way the record is asked again.
            logger.warning("Redis is away (%s): %d outcomes are on record only", exc, len(settled))
        self._done(settled)
        if recorded.freed:
            await asyncio.to_thread(enqueue_all, recorded.freed)
        if owned := [r for r in recorded.won if r.run.owner]:
            await asyncio.gather(*(_tell_owner(r) for r in owned))

    async def _write(self, batch: list[Result]) -> attempts.RecordedResults:
        """Never gives up on a database that is away; a batch it refuses is tried one by one."""
        while True:
            try:
                return await self._database.run_sync(attempts.end, batch)
            except OperationalError as exc:
                logger.error("the database takes no outcomes (%s); trying again", exc)
                await asyncio.sleep(_TRY_AGAIN)
            except (DatabaseError, ValueError) as exc:
                if len(batch) == 1:
                    return attempts.RecordedResults([], [], [(batch[0], exc)], [])
                together = attempts.RecordedResults([], [], [], [])
                for result in batch:
                    part = await self._write([result])
                    together.won.extend(part.won)
                    together.lost.extend(part.lost)
                    together.broken.extend(part.broken)
                    together.freed.extend(part.freed)
                return together


def _without_hook(result: Result, exc: Exception) -> Result:
    """What becomes of a job whose end could not be written: an attempt that failed."""
    if not result.hook:  # its failure could not be written either: say as little as can go wrong
        plain = Permanent(texts.UNEXPECTED, code="unwritable")
        return replace(executor.failed(result.run, plain), hook=False)
    again = executor.failed(result.run, exc)
    return replace(again, hook=False) if again.state == State.FAILED else again


async def _tell_redis(recorded: attempts.RecordedResults, *, wake: bool) -> None:
    ended: dict[str, list[Outcome]] = defaultdict(list)
    later: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    back: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for r in recorded.won:
        if r.state == State.DELAYED:
            later[r.run.queue].append((r.run.id, r.run.token, r.delay))
        elif r.state == State.WAITING:
            back[r.run.queue].append((r.run.id, r.run.token))
        else:
            ended[r.run.queue].append(Outcome(r.run.id, r.run.token, r.state, r.ran))
    for r in recorded.lost:  # over, or another's: whoever claims it next finds out
        back[r.run.queue].append((r.run.id, r.run.token))
    for r in recorded.won:
        if r.outcome == "cooldown":
            await _cool_down(r)
    calls: list[redis_client.ScriptCall[list[str]]] = [
        scripts.finish(get_queue(q), rows, wake=wake) for q, rows in ended.items()
    ]
    calls += [scripts.retry_later(q, rows) for q, rows in later.items()]
    calls += [scripts.release(q, rows) for q, rows in back.items()]
    for call in calls:
        await redis_client.arun(call)


async def _cool_down(result: Result) -> None:
    """The provider's wait holds for every queue that calls it."""
    provider = get_queue(result.run.queue).provider
    for queue in get_conf().queues.values():
        if queue.name == result.run.queue or (provider and queue.provider == provider):
            await redis_client.arun(scripts.cooldown(queue.name, result.delay))


async def _tell_owner(result: Result) -> None:
    run = result.run
    name, fields = news(result)
    await messages.emit(run.owner, messages.make(run.topic, name, run.id, run.request_id, run.meta, **fields))


def news(result: Result) -> tuple[str, dict[str, Any]]:
    """What the owner is told of a result: the event's name and fields."""
    run, value = result.run, result.value
    if result.state == State.COMPLETED:
        response = value.get("response", "") if isinstance(value, dict) else ""
        return "completed", {"response": response, "result": value}
    if result.state == State.FAILED:
        return "failed", {"error": result.error, "code": result.code, "canRetry": True, "text": result.text}
    return "retrying", {
        "queue": run.queue,
        "attempt": run.attempt if result.spent else run.attempt - 1,
        "of": run.max_attempts,
        "in": round(max(0.0, result.delay - (timezone.now() - result.ended_at).total_seconds()), 1),
        "reason": result.error,
        "code": result.code or result.outcome,
    }
