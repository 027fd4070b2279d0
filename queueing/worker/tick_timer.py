"""A worker's look at recurring jobs: at the time of each tick by the worker that reconciles.

The others look as well, but only for ticks that have been due for a while: the one that reconciles may have
died, or not know a kind that this worker knows. Without Redis, which says who reconciles, all of them look.
"""

import asyncio
import logging

from django.db import Error as DatabaseError
from django.utils import timezone

from queueing.conf import get_conf
from queueing.record.database_thread import DatabaseThread, in_thread
from queueing.recovery import reconcile
from queueing.recurring import ticking
from queueing.schedule import redis_client

logger = logging.getLogger(__name__)

#: The shortest time between two looks, in seconds.
_MIN_WAIT = 0.05


class TickTimer:
    """Handles the ticks that are due, with one query per heartbeat while there are none."""

    def __init__(self, worker: str, database: DatabaseThread) -> None:
        self._worker = worker
        self._database = database

    async def run(self) -> None:
        """Look again at the next tick, at the latest after a heartbeat, forever."""
        while True:
            wait = heartbeat = get_conf().heartbeat
            try:
                wait = await self._look()
            except DatabaseError as exc:
                logger.warning("recurring jobs were not looked at: %s: %s", type(exc).__name__, exc)
            except Exception:
                logger.exception("recurring jobs were not looked at; trying again")
            await asyncio.sleep(min(max(wait, _MIN_WAIT), heartbeat))

    async def _look(self) -> float:
        """Handle what is due, and return the seconds until the next tick."""
        overdue, handled = 0.0 if await self._leads() else 2 * get_conf().heartbeat, False
        for key, at in await self._database.run_sync(ticking.next_looks, overdue):
            # Each time by the clock: handling the one before took a while.
            wait = (at - timezone.now()).total_seconds() + overdue
            if wait > 0:
                return 0.0 if handled else wait
            await in_thread(ticking.handle)(key)
            handled = True
        return 0.0 if handled else get_conf().heartbeat

    async def _leads(self) -> bool:
        try:
            return await reconcile.leads(self._worker)
        except redis_client.Unavailable:
            return True
