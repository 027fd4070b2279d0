"""Listens to pub/sub for a worker, and wakes it or passes on what it hears."""

import asyncio
import json
import logging
import time
from collections.abc import Callable

from queueing.schedule import scripts
from queueing.schedule.server import server
from queueing.schedule.subscription import Subscription

from .runs.active_runs import ActiveRuns
from .wake import Wake

logger = logging.getLogger(__name__)

#: Seconds that a worker which has just started has to connect.
_START_TIME = 5.0


class Notifier:
    """Listens to the engine's channel and to the worker's own."""

    def __init__(
        self,
        own_channel: str,
        wake: Wake,
        active_runs: ActiveRuns,
        *,
        on_job: Callable[[str, str, str, int, bool], None],
        on_limits: Callable[[], None],
        on_needs: Callable[[], object],
        on_quiet: Callable[[], object],
    ) -> None:
        self._own_channel = own_channel
        self._wake = wake
        self._on_job = on_job
        self._on_limits = on_limits
        self._on_needs = on_needs
        self._on_quiet = on_quiet
        self._active_runs = active_runs
        self._made_at = time.monotonic()
        self.subscription: Subscription | None = None

    @property
    def listens(self) -> bool:
        """Whether notifications arrive, or may do so soon because the worker has just started."""
        has_just_started = time.monotonic() - self._made_at < _START_TIME
        return has_just_started or bool(self.subscription and self.subscription.heard_at)

    async def run(self) -> None:
        """Listen forever, also after Redis was unavailable."""
        # After each connection: messages may have been missed.
        self.subscription = Subscription(server(), self._receive, on_connect=self._wake.notify)
        listening = asyncio.create_task(self.subscription.run())
        try:
            for channel in (scripts.notify_channel(), self._own_channel):
                await self.subscription.add(channel)
            await listening
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    def _receive(self, channel: str, data: bytes) -> None:
        try:
            self._take(*data.decode().partition(":"))
        except Exception:  # from another version, or by a hand: this message alone is lost
            logger.exception("the notification %r cannot be read", data[:200])

    def _take(self, word: str, _: str, rest: str) -> None:
        if word == "job":
            self._on_job(*json.loads(rest))
        elif word == "cancel":
            self._active_runs.cancel(rest)
        elif word == "limits":
            self._on_limits()
            self._wake.notify()
        elif word == "needs":
            self._on_needs()
        elif word == "quiet":
            self._on_quiet()
        elif word == "owner":
            self._active_runs.rename_owner(*json.loads(rest))
        else:
            self._wake.notify()
