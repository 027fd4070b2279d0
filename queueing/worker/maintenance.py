"""A worker's periodic duties: heartbeat, leases, lost workers' jobs, reconciliation, clean-up."""

import asyncio
import json
import logging
import time
from collections import defaultdict
from contextlib import suppress
from typing import Protocol

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections

from queueing.conf import DJANGO_Q_QUEUE, EngineConf
from queueing.limits import live_limits
from queueing.monitoring import counters
from queueing.record import attempts, pruning
from queueing.record.database_thread import DatabaseThread
from queueing.recovery import reconcile, stalled
from queueing.schedule import redis_client, scripts

from .active_runs import ActiveRuns, Claim
from .identity import Identity

logger = logging.getLogger(__name__)

#: Seconds after which the heartbeat of a silent worker is removed.
_REMOVE_WORKER_AFTER = 60.0
#: Seconds between clean-ups.
_CLEAN_UP_INTERVAL = 3600


class MaintainedWorker(Protocol):
    """A worker as its maintenance sees it."""

    identity: Identity
    conf: EngineConf
    slots: int
    claims: dict[Claim, str]
    active_runs: ActiveRuns
    counters: counters.WorkerCounters

    def resize(self, slots: int) -> None:
        """Set how many jobs it may run at once."""


class Maintenance:
    """The maintenance of one worker: one cycle per heartbeat."""

    def __init__(self, worker: MaintainedWorker, database: DatabaseThread) -> None:
        self._worker = worker
        self._database = database
        self._due = asyncio.Event()

    async def run(self) -> None:
        """Run a cycle per heartbeat forever, also after Redis or the database was unavailable."""
        heartbeat = self._worker.conf.heartbeat
        while True:
            began = time.monotonic()
            self._due.clear()
            if (alive_at := self._worker.identity.alive_at) is not None:
                alive_at.value = time.time()
            try:
                await self._cycle()
            except (*redis_client.Unavailable, DatabaseError) as exc:
                logger.warning("maintenance was interrupted: %s: %s", type(exc).__name__, exc)
            except Exception:
                logger.exception("maintenance failed; continuing")
            await self._wait(max(0.2, heartbeat - (time.monotonic() - began)))

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._due.wait()

    def run_soon(self) -> None:
        """Start the next cycle now: limits have changed."""
        self._due.set()

    async def _cycle(self) -> None:
        self._worker.resize(await live_limits.worker_slots())
        await self._send_heartbeat()
        await self._renew_leases()
        await stalled.recover(self._worker.conf, self._database)
        await reconcile.reconcile(self._worker.identity.id, self._database)
        await self.write_counters()
        await self._clean_up()
        await sync_to_async(close_old_connections)()  # the thread of handlers that use the async ORM
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

    async def _send_heartbeat(self) -> None:
        worker, client = self._worker, redis_client.aclient()
        heartbeat = worker.identity.heartbeat(active=len(worker.claims), slots=worker.slots)
        await client.hset(scripts.key("workers"), worker.identity.id, json.dumps(heartbeat))
        for name, text in (await client.hgetall(scripts.key("workers"))).items():
            if time.time() - json.loads(text)["at"] > _REMOVE_WORKER_AFTER:
                await client.hdel(scripts.key("workers"), name)

    async def _renew_leases(self) -> None:
        by_queue: dict[str, list[Claim]] = defaultdict(list)
        for claim, queue in self._worker.claims.items():
            by_queue[queue].append(claim)
        lost: list[Claim] = []
        for queue, claims in by_queue.items():
            gone: list[str] = await redis_client.arun(scripts.renew(queue, claims))
            if queue != DJANGO_Q_QUEUE:
                lost += [claim for claim in claims if claim[0] in set(gone)]
        if lost:
            # Taken over, cancelled, or missing in a Redis that lost its data: the record tells.
            self._worker.active_runs.drop(await self._database.run_sync(attempts.stale_claims, lost))

    async def deregister(self) -> None:
        """Write the last counts and remove the worker's heartbeat."""
        try:
            await self.write_counters()
            await redis_client.aclient().hdel(scripts.key("workers"), self._worker.identity.id)
        except (*redis_client.Unavailable, DatabaseError) as exc:
            logger.info("the worker was not deregistered: %s", exc)
