"""Looks at the queues every few seconds, in every web process: one look of all of them counts at a time.

A web process does it, since workers may be what is missing. While no web process runs, only a monitor outside
can tell (docs/monitoring.md).
"""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from queueing.api import monitoring, redis
from queueing.api.sockets import in_thread

from . import channels, record, texts

logger = logging.getLogger(__name__)

#: Seconds between two looks.
INTERVAL = 15.0
#: Seconds after which a failure of the database would be reported again, if no process has seen its end.
_FORGET = 7 * 24 * 3600

_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = WeakKeyDictionary()


def start() -> None:
    """Watch from the running loop, once, if there is a channel."""
    loop = asyncio.get_running_loop()
    if loop not in _watches and channels.configured():
        _watches[loop] = loop.create_task(Watch().run())


class Watch:
    """The watch of one process."""

    def __init__(self) -> None:
        self._without_database: float | None = None
        """Since when the database fails, by `time.monotonic()`."""

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
        try:
            if not await _is_our_turn():
                return
            health = await monitoring.queue_health()
            levels = {monitoring.CRITICAL, settings.ALERT_LEVEL}
            found = [warning for warning in health["warnings"] if warning["level"] in levels]
            await in_thread(_record_and_tell)(found)
        except DatabaseError as exc:
            await self._on_failure(exc)
        else:
            with suppress(*redis.Unavailable):
                await self._on_success()

    async def _on_failure(self, exc: DatabaseError) -> None:
        """Tell that the database is unavailable. Redis then has what was sent."""
        now = time.monotonic()
        self._without_database = self._without_database or now
        if now - self._without_database < record.PATIENCE.total_seconds():
            return
        if await redis.aclient().set(_database_key(), int(time.time()), nx=True, ex=_FORGET):
            logger.error("the alerts: the database is unavailable (%s)", type(exc).__name__)
            if not await _tell_of_database(over=False):
                await redis.aclient().delete(_database_key())

    async def _on_success(self) -> None:
        self._without_database = None
        if await redis.aclient().delete(_database_key()):
            await _tell_of_database(over=True)


def _database_key() -> str:
    return redis.app_key("alerts:database")


async def _is_our_turn() -> bool:
    """Return True if no other process has looked lately. Without Redis, all of them look."""
    try:
        taken = redis.aclient().set(redis.app_key("alerts:turn"), 1, nx=True, px=int(INTERVAL * 900))
        return bool(await taken)
    except redis.Unavailable:
        return True


def _record_and_tell(found: list[dict[str, Any]]) -> None:
    record.note(found, timezone.now())
    record.tell(channels.configured(), timezone.now())


async def _tell_of_database(*, over: bool) -> bool:
    """Tell without a row. Return whether any channel worked."""
    now = timezone.now()
    message = channels.Message(
        id=f"database-{int(now.timestamp())}",
        code="database",
        queue="",
        level=monitoring.CRITICAL,
        text=texts.DATABASE,
        since=now - (timedelta(0) if over else record.PATIENCE),
        over_at=now if over else None,
    )
    return any(
        [await asyncio.to_thread(channels.works, channel, message) for channel in channels.configured()]
    )
