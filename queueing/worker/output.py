"""From a handler's `ctx.delta` to the watchers: kept in Redis first, then announced.

Runs that have something to say stand in line, and every `_EVERY` seconds the first `_MOST` of them are
sent together. The more there are, the longer a run waits for its turn and the more it then says at once:
so what a token costs goes down as the load goes up. A slow reader holds up nobody: sending never waits
for one.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any
from weakref import WeakKeyDictionary

from django.utils import timezone

from queueing.context import JobContext
from queueing.events import messages, progress
from queueing.events.progress import Progress
from queueing.record.run import Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import TextChunk

logger = logging.getLogger(__name__)

#: Seconds of text put together into one event.
_EVERY = 0.05
#: Runs that are sent together: 4,000 events a second at most, lest a worker drown those who pass them on.
_MOST = 200
#: Seconds the text of an answer is kept in Redis after it was begun.
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
            pace=self.pace,
        )
        self._hub = Hub.here()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._start = self._sent = 0
        """Where the latest piece begins and ends."""
        self._progress: dict[str, Any] | None = None
        self._turn = asyncio.Event()
        self.paced = False
        """Somebody waits for its turn to come."""
        self.sending = False
        """Something of it is on its way."""
        self.spoilt = False
        """Whether a piece may be missing from the text that is kept."""

    async def announce(self) -> None:
        """Tell that the run has begun."""
        run = self.run
        begun = self._event("started", run=run.number, attempt=run.attempt, of=run.max_attempts)
        await messages.emit(run.owner, begun)

    def emit(self, name: str, fields: dict[str, Any]) -> None:
        """Take note of something the handler said."""
        if name == "log":
            self.lines.append((timezone.now(), fields["line"]))
            return
        if name == "progress":
            self._progress = fields
        if threading.get_ident() == self._thread:
            self._hub.wake(self)
        else:
            self._loop.call_soon_threadsafe(self._hub.wake, self)

    async def pace(self) -> None:
        """Until what the handler has said is about to be sent."""
        if not self.behind:
            return
        self.paced = True
        try:
            await self._turn.wait()
        finally:
            self.paced = False

    def call(self) -> None:
        """Its turn has come: who waited for that may add something yet, until the loop comes round."""
        self._turn.set()
        self._turn.clear()

    @property
    def behind(self) -> bool:
        """Whether there is something to send."""
        return self._sent < len(self.context.text) or self._progress is not None

    async def flush(self) -> None:
        """Send what is left, so that the end comes after the last word."""
        if self.behind or self.sending:
            await self._hub.flush(self)

    def take_progress(self) -> Progress | None:
        """The latest progress, if it is news."""
        said, self._progress = self._progress, None
        return Progress(self.run.id, self.run.number, said) if said else None

    def take_piece(self) -> TextChunk | None:
        """What was said since the last piece; all of it where what is kept may have a hole."""
        self._start, self._sent = self._sent, len(self.context.text)
        if self._start == self._sent:
            return None
        return self._piece(0 if self.spoilt else self._start)

    def whole(self) -> TextChunk:
        """All up to the latest piece."""
        return self._piece(0)

    def _piece(self, start: int) -> TextChunk:
        run, text = self.run, self.context.text[start : self._sent]
        return TextChunk(run.id, run.token, run.number, text, replaces=start == 0)

    def progress(self, step: Progress) -> messages.Event:
        """The event of a step."""
        return self._event("progress", **step.fields)

    def delta(self) -> messages.Event:
        """The event of the latest piece."""
        about = {"run": self.run.number, "attempt": self.run.attempt, "offset": self._start}
        return self._event("delta", **about, text=self.context.text[self._start : self._sent])

    def _event(self, name: str, **fields: Any) -> messages.Event:
        run = self.run
        return messages.make(run.topic, name, run.id, run.request_id, run.meta, **fields)


class Hub:
    """One a loop: sends for all its streams."""

    _all: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._line: dict[Stream, None] = {}
        self._urgent: dict[Stream, None] = {}
        """Those of the line that do not wait for their turn."""
        self._hurry = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self._round = asyncio.get_running_loop().create_future()

    @classmethod
    def here(cls) -> "Hub":
        """The running loop's."""
        loop = asyncio.get_running_loop()
        if loop not in cls._all:
            cls._all[loop] = cls()
        return cls._all[loop]

    def wake(self, stream: Stream) -> None:
        """The stream has something to say."""
        self._line[stream] = None
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send())

    async def flush(self, stream: Stream) -> None:
        """Until all that the stream has said is sent."""
        while stream.behind or stream.sending:
            if stream.behind:
                self.wake(stream)
                self._urgent[stream] = None
                self._hurry.set()
            await asyncio.shield(self._round)

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + _EVERY
        while self._line:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._hurry.wait()
            line: Iterable[Stream] = ()
            if (now := loop.time()) >= due:
                due, line = now + _EVERY, self._line
            streams = list(dict.fromkeys(islice(chain(self._urgent, line), _MOST)))
            await self._gather(streams)
            try:
                await _send_all(streams)
            except Exception:
                logger.exception("what %d jobs said could not be sent", len(streams))
            self._end_round(streams)

    async def _gather(self, streams: Sequence[Stream]) -> None:
        """Let those whose turn has come say their last, and leave the line, or go to its end."""
        for stream in streams:
            stream.sending = True
            stream.call()
        await asyncio.sleep(0)  # in which they do
        for stream in streams:
            self._line.pop(stream, None)
            self._urgent.pop(stream, None)
            if stream.paced:
                self._line[stream] = None
        if not self._urgent:
            self._hurry.clear()

    def _end_round(self, streams: Sequence[Stream]) -> None:
        for stream in streams:
            stream.sending = False
        ended, self._round = self._round, asyncio.get_running_loop().create_future()
        ended.set_result(None)


async def _send_all(streams: Sequence[Stream]) -> None:
    went = [(stream, step) for stream in streams if (step := stream.take_progress())]
    if went:
        await progress.store([step for _, step in went])
    news = [(stream.run.owner, stream.progress(step)) for stream, step in went]
    said = [(stream, piece) for stream in streams if (piece := stream.take_piece())]
    if said:
        news += await _keep(said)
    await messages.emit_many(news)


async def _keep(said: Sequence[tuple[Stream, TextChunk]]) -> list[tuple[str, messages.Event]]:
    """Add to the texts kept in Redis; what to announce. Where the claim is lost, nobody should hear of it."""
    streams = [stream for stream, _ in said]
    for stream in streams:
        stream.spoilt = True
    try:
        kept = await redis_client.arun(scripts.append([piece for _, piece in said], keep=_KEEP))
        if lost := [stream for stream, done in zip(streams, kept, strict=True) if done == 2]:
            await redis_client.arun(scripts.append([stream.whole() for stream in lost], keep=_KEEP))
    except redis_client.Unavailable as exc:
        logger.warning("the text of %d jobs is not kept: %s", len(said), exc)
        return []
    for stream, done in zip(streams, kept, strict=True):
        stream.spoilt = done == 0
    return [(s.run.owner, s.delta()) for s, done in zip(streams, kept, strict=True) if done]
