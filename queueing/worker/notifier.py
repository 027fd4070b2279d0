"""What wakes a worker: a pub/sub message, a free slot, or the time it was told to look again."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import aclosing

from queueing.schedule import redis_client, scripts

from .active_runs import Running

logger = logging.getLogger(__name__)

_RECONNECT = 1.0


class Bell:
    """Listens on the engine's channel and the worker's own. Being idle costs nothing: there is no polling."""

    def __init__(
        self,
        own: str,
        running: Running,
        *,
        on_job: Callable[[str, str, str, int, bool], None],
        on_limits: Callable[[], None],
    ) -> None:
        self.own = own
        self._on_job = on_job
        self._on_limits = on_limits
        self._running = running
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something may be claimable."""
        self._rung.set()

    def silence(self) -> None:
        """Forget rings so far; called before looking, so that one during the look counts."""
        self._rung.clear()

    async def wait(self, seconds: float | None) -> None:
        """Until it rings, or at most `seconds` (None: no limit)."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        """Listen for ever, through Redis' absences."""
        while True:
            try:
                await self._listen()
            except redis_client.Unavailable as exc:
                logger.warning("Redis is away (%s); listening again in %g s", exc, _RECONNECT)
                await asyncio.sleep(_RECONNECT)

    async def _listen(self) -> None:
        async with aclosing(redis_client.listen(scripts.notify_channel(), self.own)) as said:
            async for text in said:
                word, _, rest = text.partition(":")
                if word == "job":
                    self._on_job(*json.loads(rest))
                elif word == "cancel":
                    self._running.cancel(rest)
                elif word == "limits":
                    self._on_limits()
                    self.ring()
                elif word == "owner":
                    self._running.rename_owner(*json.loads(rest))
                else:  # also the empty text: whatever was said while nobody listened
                    self.ring()
