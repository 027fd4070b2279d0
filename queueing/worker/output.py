"""From a handler's `ctx.delta` to the clients: stored in Redis first, then announced.

Runs with unsent output wait in a queue, and every `_SEND_INTERVAL` seconds the first `_MAX_RUNS_PER_SEND`
of them are sent together. With more of them a run waits longer and sends more text at once, so the cost of
a token falls as the load grows. A slow client delays no other: sending never waits for clients.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any
from weakref import WeakKeyDictionary

from django.utils import timezone

from queueing.context import JobContext
from queueing.events import delivery, messages, progress
from queueing.events.progress import Progress
from queueing.record.run import Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import TextChunk

logger = logging.getLogger(__name__)

#: Seconds of text put together into one event.
_SEND_INTERVAL = 0.05
#: Runs sent together. It limits a worker to 4,000 events a second, which web processes can pass on.
_MAX_RUNS_PER_SEND = 200
#: Seconds after which the outcome of a run no longer waits for its last output.
FLUSH_TIMEOUT = 5.0
#: Seconds that the text of an answer is stored in Redis after its start.
_TEXT_TTL = 3600


class RunOutput:
    """The output of one run. Created on the event loop; `emit` may be called from any thread."""

    def __init__(self, run: Run, on_answer: Callable[[Run], None] | None = None) -> None:
        self.run = run
        self._on_answer = on_answer
        """Called at the first text of a run whose provider failed of late."""
        self.log_lines: list[tuple[datetime, str]] = []
        self.context = JobContext(
            job_id=run.id,
            kind=run.kind_name,
            owner=run.owner,
            request_id=run.request_id,
            attempt=run.attempt,
            max_attempts=run.max_attempts,
            emit=self.emit,
            pace=self.pace,
            version=run.version,
        )
        self._sender = OutputSender.for_running_loop()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._start = self._sent = 0
        """Where the latest chunk begins and ends."""
        self._progress: dict[str, Any] | None = None
        self._thinking: dict[str, Any] | None = None
        self._send_slot = asyncio.Event()
        self.is_pacing = False
        """Whether the handler waits for the send slot."""
        self.is_sending = False
        """Whether output of this run is being sent."""
        self.is_incomplete = False
        """Whether the stored text may lack a chunk."""

    async def send_started(self) -> None:
        """Send the event that the run has begun."""
        run = self.run
        await delivery.emit(
            run.owner, self.event("started", run=run.number, attempt=run.attempt, of=run.max_attempts)
        )

    def emit(self, name: str, fields: dict[str, Any]) -> None:
        """Take a delta, progress, thinking or log line from the handler."""
        if name == "log":
            self.log_lines.append((timezone.now(), fields["line"]))
            return
        if name == "progress":
            self._progress = fields
        elif name == "thinking":
            self._thinking = fields
        if name != "progress" and self._on_answer and self.context.asked_provider:
            self._loop.call_soon_threadsafe(self._on_answer, self.run)
            self._on_answer = None
        if threading.get_ident() == self._thread:
            self._sender.add(self)
        else:
            self._loop.call_soon_threadsafe(self._sender.add, self)

    async def pace(self) -> None:
        """Wait until the output so far is about to be sent."""
        if not self.has_unsent:
            return
        self.is_pacing = True
        try:
            await self._send_slot.wait()
        finally:
            self.is_pacing = False

    def open_slot(self) -> None:
        """Open the send slot: a handler waiting in `pace` may add text before the next loop iteration."""
        self._send_slot.set()
        self._send_slot.clear()

    @property
    def has_unsent(self) -> bool:
        """Whether there is output that was not sent."""
        unsent_text = self._sent < len(self.context.text)
        return unsent_text or self._progress is not None or self._thinking is not None

    async def flush(self) -> None:
        """Send the remaining output, so that the terminal event comes after it."""
        if not (self.has_unsent or self.is_sending):
            return
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT):
                await self._sender.flush(self)
        except TimeoutError:
            logger.warning("the last output of job %s was not sent in time", self.run.id)

    def take_progress(self) -> Progress | None:
        """Return the latest progress, once."""
        fields, self._progress = self._progress, None
        return Progress(self.run.id, self.run.number, fields) if fields else None

    def take_thinking(self) -> messages.Event | None:
        """Return the event of the latest report of thinking, once."""
        fields, self._thinking = self._thinking, None
        return self.event("thinking", run=self.run.number, **fields) if fields else None

    def take_chunk(self) -> TextChunk | None:
        """Return the text since the latest chunk, or all of it where the stored text may be incomplete."""
        self._start, self._sent = self._sent, len(self.context.text)
        if self._start == self._sent:
            return None
        return self.chunk_from(0 if self.is_incomplete else self._start)

    def chunk_from(self, start: int) -> TextChunk:
        """Return the text from `start` up to the end of the latest chunk."""
        run, text = self.run, self.context.text[start : self._sent]
        return TextChunk(run.id, run.token, run.number, text, replaces=start == 0)

    def delta_event(self) -> messages.Event:
        """Return the event of the latest chunk."""
        run, text = self.run, self.context.text[self._start : self._sent]
        return self.event("delta", run=run.number, attempt=run.attempt, offset=self._start, text=text)

    def event(self, name: str, **fields: Any) -> messages.Event:
        """Return an event of the run."""
        return messages.event_of_run(self.run, name, **fields)


class OutputSender:
    """The sender of one event loop, for the output of all its runs."""

    _instances: "WeakKeyDictionary[asyncio.AbstractEventLoop, OutputSender]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._queue: dict[RunOutput, None] = {}
        self._urgent: dict[RunOutput, None] = {}
        """Those of the queue that are sent at once."""
        self._send_now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._round_done = asyncio.get_running_loop().create_future()

    @classmethod
    def for_running_loop(cls) -> "OutputSender":
        """Return this loop's instance, made on first use."""
        loop = asyncio.get_running_loop()
        if loop not in cls._instances:
            cls._instances[loop] = cls()
        return cls._instances[loop]

    def add(self, output: RunOutput) -> None:
        """Queue a run that has unsent output."""
        self._queue[output] = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def flush(self, output: RunOutput) -> None:
        """Wait until all output of the run is sent, without waiting for the interval."""
        while output.has_unsent or output.is_sending:
            if output.has_unsent:
                self.add(output)
                self._urgent[output] = None
                self._send_now.set()
            await asyncio.shield(self._round_done)

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + _SEND_INTERVAL
        while self._queue:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._send_now.wait()
            queue: Iterable[RunOutput] = ()
            if (now := loop.time()) >= due:
                due, queue = now + _SEND_INTERVAL, self._queue
            outputs = list(dict.fromkeys(islice(chain(self._urgent, queue), _MAX_RUNS_PER_SEND)))
            await self._begin_round(outputs)
            try:
                await _send_all(outputs)
            except Exception:
                logger.exception("sending the output of %d jobs failed", len(outputs))
            self._end_round(outputs)

    async def _begin_round(self, outputs: Sequence[RunOutput]) -> None:
        """Collect the last text of each run; remove it from the queue, or put it at the end."""
        for output in outputs:
            output.is_sending = True
            output.open_slot()
        await asyncio.sleep(0)  # one loop iteration, in which handlers add their text
        for output in outputs:
            self._queue.pop(output, None)
            self._urgent.pop(output, None)
            if output.is_pacing:
                self._queue[output] = None
        if not self._urgent:
            self._send_now.clear()

    def _end_round(self, outputs: Sequence[RunOutput]) -> None:
        for output in outputs:
            output.is_sending = False
        done, self._round_done = self._round_done, asyncio.get_running_loop().create_future()
        done.set_result(None)


async def _send_all(outputs: Sequence[RunOutput]) -> None:
    reported = [(output, latest) for output in outputs if (latest := output.take_progress())]
    if reported:
        await progress.store([latest for _, latest in reported])
    events = [(output.run.owner, output.event("progress", **latest.fields)) for output, latest in reported]
    events += [(output.run.owner, event) for output in outputs if (event := output.take_thinking())]
    chunks = [(output, chunk) for output in outputs if (chunk := output.take_chunk())]
    if chunks:
        events += await _store(chunks)
    await delivery.emit_many(events)


async def _store(chunks: Sequence[tuple[RunOutput, TextChunk]]) -> list[tuple[str, messages.Event]]:
    """Add the chunks to the texts in Redis; return the events of runs that still have their claim.

    If Redis answers but refuses the chunks, each is tried alone, so that one cannot harm the others.
    """
    outputs = [output for output, _ in chunks]
    for output in outputs:
        output.is_incomplete = True
    try:
        replies = await redis_client.arun(scripts.append([chunk for _, chunk in chunks], keep=_TEXT_TTL))
        if gone := [output for output, reply in zip(outputs, replies, strict=True) if reply == 2]:
            await redis_client.arun(scripts.append([o.chunk_from(0) for o in gone], keep=_TEXT_TTL))
    except redis_client.Unavailable as exc:
        if len(chunks) > 1 and not isinstance(exc, redis_client.Unreachable):
            return [event for o in outputs for event in await _store([(o, o.chunk_from(0))])]
        logger.warning("the text of %d jobs was not stored: %s", len(chunks), exc)
        return []
    for output, reply in zip(outputs, replies, strict=True):
        output.is_incomplete = reply == 0
    return [(o.run.owner, o.delta_event()) for o, reply in zip(outputs, replies, strict=True) if reply]
