"""A worker's periodic duties: lost workers' jobs, reconciliation, statistics, clean-up."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError

from queueing.conf import get_conf
from queueing.limits import live_limits
from queueing.monitoring import counters
from queueing.record import pruning
from queueing.record.database_thread import DatabaseThread, tidy_connections
from queueing.record.outage import is_outage
from queueing.recovery import reconcile, stalled, suspects
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.outage_log import redis_outage

from .claimer import Claimer

logger = logging.getLogger(__name__)

#: Seconds between clean-ups.
_CLEAN_UP_INTERVAL = 3600


class Maintenance:
    """The maintenance of one worker: one cycle per heartbeat."""

    def __init__(
        self,
        claimer: Claimer,
        worker_counters: counters.WorkerCounters,
        database: DatabaseThread,
        leave_if_hung: Callable[[], None],
    ) -> None:
        self._identity = claimer.identity
        self._claimer = claimer
        self._counters = worker_counters
        self._database = database
        self._leave_if_hung = leave_if_hung
        self._stalled = stalled.StalledJobs(get_conf(), database)
        self._due = asyncio.Event()

    async def run(self) -> None:
        """Run a cycle per heartbeat forever, also after Redis or the database was unavailable."""
        heartbeat = get_conf().heartbeat
        while True:
            began = time.monotonic()
            self._due.clear()
            self._leave_if_hung()
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
            self._claimer.follow_operator,
            self._claimer.look_for_parked_jobs,
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
        self._claimer.resize(await live_limits.worker_slots(self._identity.queues))

    async def _count_suspects(self) -> None:
        waiting = await suspects.waiting(self._database, self._identity.queues)
        self._identity.expect_suspects(len(waiting))

    async def _reconcile(self) -> None:
        await reconcile.reconcile(self._identity.id, self._database)

    async def _tidy(self) -> None:
        await sync_to_async(tidy_connections)()  # the thread of handlers that use the async ORM
        await self._database.refresh()

    async def write_counters(self) -> None:
        """Store the counts since the last time."""
        if rows := self._counters.rows():
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
        own = self._identity.id
        try:
            await self.write_counters()
            if last:
                await redis_client.arun(presence.heartbeat(own, last))
            else:
                await redis_client.aclient().hdel(scripts.key("workers"), own)
        except (*redis_client.Unavailable, DatabaseError) as exc:
            logger.info("the worker was not deregistered: %s", exc)
