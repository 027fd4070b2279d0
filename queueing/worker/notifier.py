"""Wakes a worker: for a pub/sub message, a free slot, or at a given time."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import aclosing

from queueing.schedule import redis_client, scripts

from .active_runs import ActiveRuns

logger = logging.getLogger(__name__)

#: Seconds until the next attempt to listen while Redis is unavailable.
_RETRY_DELAY = 1.0


class Notifier:
    """Listens to the engine's channel and to the worker's own. There is no polling."""

    def __init__(
        self,
        own_channel: str,
        active_runs: ActiveRuns,
        *,
        on_job: Callable[[str, str, str, int, bool], None],
        on_limits: Callable[[], None],
    ) -> None:
        self.own_channel = own_channel
        self._on_job = on_job
        self._on_limits = on_limits
        self._active_runs = active_runs
        self._notified = asyncio.Event()

    def notify(self) -> None:
        """Wake the worker: there may be jobs that it can claim."""
        self._notified.set()

    def clear(self) -> None:
        """Clear notifications. Call it before claiming, so that one during the claim is kept."""
        self._notified.clear()

    async def wait(self, seconds: float | None) -> None:
        """Wait for a notification, for `seconds` at most (None: without limit)."""
        try:
            async with asyncio.timeout(seconds):
                await self._notified.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        """Listen forever, also after Redis was unavailable."""
        while True:
            try:
                await self._listen()
            except redis_client.Unavailable as exc:
                logger.warning("Redis is unavailable (%s); listening again in %g s", exc, _RETRY_DELAY)
                await asyncio.sleep(_RETRY_DELAY)

    async def _listen(self) -> None:
        async with aclosing(redis_client.listen(scripts.notify_channel(), self.own_channel)) as messages:
            async for text in messages:
                word, _, rest = text.partition(":")
                if word == "job":
                    self._on_job(*json.loads(rest))
                elif word == "cancel":
                    self._active_runs.cancel(rest)
                elif word == "limits":
                    self._on_limits()
                    self.notify()
                elif word == "owner":
                    self._active_runs.rename_owner(*json.loads(rest))
                else:  # also the empty text after a reconnect: messages may have been missed
                    self.notify()
