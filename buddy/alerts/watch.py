"""Looks at the queues every few seconds, in every web process: one look of all of them counts at a time.

A web process does it, since workers may be what is missing. While no web process runs, only a monitor outside
can tell (docs/monitoring.md).
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from queueing.api import monitoring, redis
from queueing.api.sockets import in_thread

from . import channels, record
from .outage import Memory, may_send, record_outage

logger = logging.getLogger(__name__)

#: Seconds between two looks.
INTERVAL = 15.0
#: Seconds after which a database that does not answer is unavailable. Redis has shorter limits of its own.
_SILENT = 20.0

_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = WeakKeyDictionary()


def start() -> None:
    """Watch from the running loop, once, if there is a channel."""
    loop = asyncio.get_running_loop()
    if loop not in _watches and channels.configured():
        _watches[loop] = loop.create_task(Watch().run())


class Watch:
    """The watch of one process."""

    def __init__(self, clock: Callable[[], datetime] = timezone.now) -> None:
        self._clock = clock
        self._memory = Memory()

    async def run(self) -> None:
        """Look forever."""
        while True:
            try:
                await self.look()
            except Exception:
                logger.exception("the alerts were not looked at; continuing")
            await asyncio.sleep(INTERVAL)

    async def look(self) -> None:
        """Record what is wrong, and tell what lasted."""
        if not await _is_our_turn():
            return
        outage = await self._memory.load(self._clock())
        try:
            async with asyncio.timeout(_SILENT):
                row = await in_thread(record_outage)(outage) if outage else None
                await in_thread(record.note)(await _warnings(), self._clock())
        except (DatabaseError, TimeoutError) as exc:
            await self._on_failure(exc)
            return
        async with asyncio.timeout(record.CLAIM.total_seconds()):
            await in_thread(record.tell)(channels.configured(), self._clock())
            if outage and row:
                await in_thread(row.refresh_from_db)()
                await (self._memory.forget() if row.over_at else self._memory.told(outage, *row.told))

    async def _on_failure(self, exc: Exception) -> None:
        """Tell that the database is unavailable, if that lasts."""
        outage = await self._memory.seen(self._clock())
        untold = [channel for channel in channels.configured() if channel.name not in outage.told]
        if outage.seen_at - outage.since < record.PATIENCE or not untold or not await may_send():
            return
        logger.error("the alerts: the database is unavailable (%s)", type(exc).__name__)
        for channel in untold:
            if await asyncio.to_thread(channels.works, channel, outage.message()):
                await self._memory.told(outage, channel.name)


async def _warnings() -> list[dict[str, Any]]:
    """Return the warnings of the level that the settings ask for. Raise Django's `Error`."""
    levels = {monitoring.CRITICAL, settings.ALERT_LEVEL}
    health = await monitoring.queue_health()
    return [warning for warning in health["warnings"] if warning["level"] in levels]


async def _is_our_turn() -> bool:
    """Return True if no other process has looked lately. Without Redis, all of them look."""
    try:
        taken = redis.aclient().set(redis.app_key("alerts:turn"), 1, nx=True, px=int(INTERVAL * 900))
        return bool(await taken)
    except redis.Unavailable:
        return True
