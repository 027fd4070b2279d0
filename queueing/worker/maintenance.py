"""A worker's periodic duties: lost workers' jobs, reconciliation, statistics, clean-up."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError

from queueing.conf import EngineConf
from queueing.limits import live_limits
from queueing.monitoring import counters
from queueing.record import pruning
from queueing.record.database_thread import DatabaseThread, tidy_connections
from queueing.record.outage import is_outage
from queueing.recovery import reconcile, stalled, suspects
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.outage_log import redis_outage

from .abilities import Abilities
from .liveness.identity import Identity

logger = logging.getLogger(__name__)

#: Seconds between clean-ups.
_CLEAN_UP_INTERVAL = 3600


class MaintainedWorker(Protocol):
    """A worker as its maintenance sees it."""

    identity: Identity
    conf: EngineConf
    slots: int
    counters: counters.WorkerCounters

    abilities: Abilities

    async def look_for_parked_jobs(self) -> None:
        """Claim jobs that other workers could not do."""

    async def follow_operator(self) -> None:
        """Be quiet, or not any more, if an operator has asked for it."""

    def resize(self, slots: int) -> None:
        """Set how many jobs it may run at once."""

    def leave_if_hung(self) -> None:
        """Ask for a replacement, and stop, when plain functions have not ended."""


class Maintenance:
    """The maintenance of one worker: one cycle per heartbeat."""

    def __init__(self, worker: MaintainedWorker, database: DatabaseThread) -> None:
        self._worker = worker
        self._database = database
        self._stalled = stalled.StalledJobs(worker.conf, database)
        self._due = asyncio.Event()

    async def run(self) -> None:
        """Run a cycle per heartbeat forever, also after Redis or the database was unavailable."""
        heartbeat = self._worker.conf.heartbeat
        while True:
            began = time.monotonic()
            self._due.clear()
            self._worker.leave_if_hung()
            try:
                await self._cycle()
            except redis_client.Unavailable as exc:
                redis_outage.failed(exc)
            except DatabaseError as exc:
                logger.warning("maintenance was interrupted: %s: %s", type(exc).__name__, exc)
            await self._wait(max(0.2, heartbeat - (time.monotonic() - began)))

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._due.wait()

    def run_soon(self) -> None:
        """Start the next cycle now: limits have changed."""
        self._due.set()

    async def _cycle(self) -> None:
        """Do all duties. One that fails does not keep the others from being done."""
        for duty in (
            self._follow_limits,
            self._worker.follow_operator,
            self._worker.look_for_parked_jobs,
            self._stalled.recover,
            self._count_suspects,
            self._reconcile,
            self.write_counters,
            self._clean_up,
            self._tidy,
        ):
            try:
                await duty()
            except Exception as exc:
                if isinstance(exc, redis_client.Unreachable) or is_outage(exc):
                    raise
                logger.exception("a duty of maintenance failed; continuing")

    async def _follow_limits(self) -> None:
        self._worker.resize(await live_limits.worker_slots(self._worker.identity.queues))

    async def _count_suspects(self) -> None:
        identity = self._worker.identity
        identity.expect_suspects(len(await suspects.waiting(self._database, identity.queues)))

    async def _reconcile(self) -> None:
        await reconcile.reconcile(self._worker.identity.id, self._database)

    async def _tidy(self) -> None:
        await sync_to_async(tidy_connections)()  # the thread of handlers that use the async ORM
        await self._database.refresh()

    async def write_counters(self) -> None:
        """Store the counts since the last time."""
        if rows := self._worker.counters.rows():
            await self._database.run_sync(counters.write, rows)

    async def _clean_up(self) -> None:
        """Delete old rows. Once an hour, one of all workers does it."""
        key = scripts.key("cleaned")
        if not await redis_client.aclient().set(key, 1, nx=True, ex=_CLEAN_UP_INTERVAL):
            return
        for step in (counters.compact, pruning.prune, *pruning.registered_steps()):
            while await self._database.run_sync(step):
                continue  # outcomes are recorded in between

    async def deregister(self, last: dict[str, Any] | None) -> None:
        """Write the last counts, and remove the worker's heartbeat or replace it by a last one."""
        own = self._worker.identity.id
        try:
            await self.write_counters()
            if last:
                await redis_client.arun(presence.heartbeat(own, last))
            else:
                await redis_client.aclient().hdel(scripts.key("workers"), own)
        except (*redis_client.Unavailable, DatabaseError) as exc:
            logger.info("the worker was not deregistered: %s", exc)
