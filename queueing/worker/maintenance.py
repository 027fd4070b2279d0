"""What a worker does on the side: heartbeat, leases, lost workers' jobs, reconciliation."""

import asyncio
import json
import logging
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections

from queueing.conf import DJANGO_Q_QUEUE
from queueing.limits import live_limits
from queueing.monitoring import counters
from queueing.record import attempts, pruning
from queueing.record.database_thread import DatabaseThread
from queueing.recovery import reconcile, stalled
from queueing.schedule import redis_client, scripts

if TYPE_CHECKING:
    from .process import Worker

logger = logging.getLogger(__name__)

#: Seconds after which a silent worker's card is thrown away.
_FORGET_WORKER = 60.0
#: Seconds between clean-ups.
_CLEAN_EVERY = 3600


class Upkeep:
    """One a worker; `run` goes round every heartbeat."""

    def __init__(self, worker: "Worker", database: DatabaseThread) -> None:
        self._worker = worker
        self._database = database
        self._hurried = asyncio.Event()

    async def run(self) -> None:
        """Go round for ever, through Redis' and the database's absences."""
        heartbeat = self._worker.conf.heartbeat
        while True:
            began = time.monotonic()
            self._hurried.clear()
            if (alive_at := self._worker.identity.alive_at) is not None:
                alive_at.value = time.time()
            try:
                await self._round()
            except (*redis_client.Unavailable, DatabaseError) as exc:
                logger.warning("upkeep: %s: %s", type(exc).__name__, exc)
            except Exception:
                logger.exception("upkeep failed; going on")
            await self._rest(max(0.2, heartbeat - (time.monotonic() - began)))

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()

    def hurry(self) -> None:
        """Go round at once: limits have changed."""
        self._hurried.set()

    async def _round(self) -> None:
        self._worker.resize(await live_limits.worker_slots())
        await self._beat()
        await self._renew()
        await stalled.recover(self._worker.conf, self._database)
        await reconcile.reconcile(self._worker.identity.id, self._database)
        await self.write_account()
        await self._clean_up()
        await sync_to_async(close_old_connections)()  # the thread of handlers that use the async ORM
        await self._database.refresh()

    async def write_account(self) -> None:
        """Store what this worker did since the last time."""
        if rows := self._worker.account.rows():
            await self._database.run_sync(counters.write, rows)

    async def _clean_up(self) -> None:
        """Once an hour, by whichever worker comes first: old rows go."""
        if not await redis_client.aclient().set(scripts.key("cleaned"), 1, nx=True, ex=_CLEAN_EVERY):
            return
        for step in (counters.compact, pruning.prune, *pruning.registered_steps()):
            while await self._database.run_sync(step):
                continue  # outcomes are recorded in between

    async def _beat(self) -> None:
        worker, client = self._worker, redis_client.aclient()
        card = worker.identity.heartbeat(active=len(worker.held), slots=worker.slots)
        await client.hset(scripts.key("workers"), worker.identity.id, json.dumps(card))
        for name, text in (await client.hgetall(scripts.key("workers"))).items():
            if time.time() - json.loads(text)["at"] > _FORGET_WORKER:
                await client.hdel(scripts.key("workers"), name)

    async def _renew(self) -> None:
        by_queue: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for claim, queue in self._worker.held.items():
            by_queue[queue].append(claim)
        lost: list[tuple[str, str]] = []
        for queue, claims in by_queue.items():
            gone: list[str] = await redis_client.arun(scripts.renew(queue, claims))
            if queue != DJANGO_Q_QUEUE:
                lost += [claim for claim in claims if claim[0] in set(gone)]
        if lost:
            # Taken over, cancelled, or forgotten by a lost Redis: the record knows.
            self._worker.running.drop(await self._database.run_sync(attempts.stale_claims, lost))

    async def leave(self) -> None:
        """Write the last counts and take the worker's card away."""
        try:
            await self.write_account()
            await redis_client.aclient().hdel(scripts.key("workers"), self._worker.identity.id)
        except (*redis_client.Unavailable, DatabaseError) as exc:
            logger.info("leaving without goodbye: %s", exc)
