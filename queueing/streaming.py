"""From a handler's `ctx.delta` to the watchers: kept in Redis first, then announced.

Pieces are put together for `_EVERY` seconds, and longer when Redis or the loop is busy, because the
next sending starts only after the last has ended. A slow reader holds up nobody: sending never waits
for one.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any

from django.utils import timezone

from . import events, redis, schedule
from .context import JobContext
from .run import Run

logger = logging.getLogger(__name__)

#: Seconds of text put together into one event.
_EVERY = 0.05
#: Seconds the text of an answer is kept in Redis after the last addition.
_KEEP = 3600


class Stream:
    """What one run has to say. Created on the loop; `emit` may be called from any thread."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lines: list[tuple[datetime, str]] = []
        self.context = JobContext(
            job_id=run.id,
            kind=run.kind_name,
            owner=run.owner,
            request_id=run.request_id,
            attempt=run.attempt,
            max_attempts=run.max_attempts,
            emit=self.emit,
        )
        self._loop = asyncio.get_running_loop()
        self._sent = 0
        self._progress: dict[str, Any] | None = None
        self._sender: asyncio.Task[None] | None = None

    def emit(self, name: str, fields: dict[str, Any]) -> None:
        """Take note of something the handler said."""
        if name == "log":
            self.lines.append((timezone.now(), fields["line"]))
            return
        if name == "progress":
            self._progress = fields
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = self._loop.create_task(self._send_soon())

    async def _send_soon(self) -> None:
        while self._sent < len(self.context.text) or self._progress:
            await asyncio.sleep(_EVERY)
            await self._send()

    async def _send(self) -> None:
        if progress := self._progress:
            self._progress = None
            await self._announce("progress", **progress)
        start, text = self._sent, self.context.text
        if start == len(text):
            return
        self._sent = len(text)
        if await self._keep(text, start):
            about = {"run": self.run.number, "attempt": self.run.attempt, "offset": start}
            await self._announce("delta", **about, text=text[start:])

    async def _keep(self, text: str, start: int) -> bool:
        """Add to the text kept in Redis; False when the claim is lost and nobody should hear this."""
        run = self.run
        try:
            call = schedule.append(run.id, run.token, run.number, text[start:], keep=_KEEP, anew=start == 0)
            kept = await redis.arun(call)
            if kept == 2:
                call = schedule.append(run.id, run.token, run.number, text, keep=_KEEP, anew=True)
                kept = await redis.arun(call)
        except redis.Unavailable as exc:
            logger.warning("text of job %s is not kept: %s", run.id, exc)
            return False
        return kept == 1

    async def _announce(self, name: str, **fields: Any) -> None:
        run = self.run
        await events.emit(run.owner, events.make(run.topic, name, run.id, run.request_id, run.meta, **fields))

    async def flush(self) -> None:
        """Send what is left, so that the end comes after the last word."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._progress or self._sent < len(self.context.text):
            await self._send()
