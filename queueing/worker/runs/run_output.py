"""The output of one run: what its handler has said, and what of it was sent."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from django.utils import timezone

from queueing.context import JobContext
from queueing.events import delivery, messages
from queueing.events.progress import Progress
from queueing.record.run import Run
from queueing.schedule.scripts import TextChunk

logger = logging.getLogger(__name__)

#: Seconds after which the outcome of a run no longer waits for its last output.
FLUSH_TIMEOUT = 5.0


class Sender(Protocol):
    """What sends the output of all runs of a worker (output_sender.py)."""

    def add(self, output: "RunOutput") -> None:
        """Queue a run that has unsent output."""

    async def flush(self, output: "RunOutput") -> None:
        """Wait until all output of the run is sent."""


class RunOutput:
    """The output of one run. Created on the event loop; `emit` may be called from any thread."""

    def __init__(self, run: Run, sender: Sender, on_answer: Callable[[Run], None] | None = None) -> None:
        self.run = run
        self._on_answer = on_answer
        """Called at the first text of a run whose provider failed of late."""
        self.log_lines: list[tuple[datetime, str]] = []
        self.first_text: float | None = None
        """When the handler streamed its first text, by `time.monotonic()`."""
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
            token=run.token,
            meta=run.meta,
            queue=run.queue,
            priority=run.priority,
            submitted_at=run.created_at,
            started_at=run.started_at,
        )
        self._sender = sender
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._start = self._sent = 0
        """Where the latest chunk begins and ends."""
        self._bytes = 0
        """The number of bytes (in UTF-8) before the latest chunk."""
        self._progress: dict[str, Any] | None = None
        self._thinking: dict[str, Any] | None = None
        self._send_slot: asyncio.Event | None = None  # most runs never wait for it
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
        """Take a delta, progress, thinking, log line or longer timeout from the handler."""
        if name == "log":
            self.log_lines.append((timezone.now(), fields["line"]))
            return
        if name == "extend":
            self._loop.call_soon_threadsafe(self._extend, fields["seconds"])
            return
        if name == "delta" and self.first_text is None:
            self.first_text = time.monotonic()
        elif name == "progress":
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

    def _extend(self, seconds: float) -> None:
        self.run.extended += seconds

    async def pace(self) -> None:
        """Wait until the output so far is about to be sent."""
        if not self.has_unsent:
            return
        if self._send_slot is None:
            self._send_slot = asyncio.Event()
        self.is_pacing = True
        try:
            await self._send_slot.wait()
        finally:
            self.is_pacing = False

    def open_slot(self) -> None:
        """Open the send slot: a handler waiting in `pace` may add text before the next loop iteration."""
        if self._send_slot is not None:
            self._send_slot.set()
            self._send_slot.clear()

    @property
    def has_unsent(self) -> bool:
        """Whether there is output that was not sent."""
        unsent_text = self._sent < len(self.context.text)
        return unsent_text or self._progress is not None or self._thinking is not None

    def close(self) -> None:
        """Take no more output: the run has its outcome.

        The context is then no cycle with this object, so both are freed at once, and not by the collector of
        cycles, which took a tenth of the time of short jobs.
        """
        self.context.emit, self.context.pace = _ignore, _go_on

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
        return Progress(self.run.id, self.run.number, fields, self.run.token) if fields else None

    def take_thinking(self) -> messages.Event | None:
        """Return the event of the latest report of thinking, once."""
        fields, self._thinking = self._thinking, None
        return self.event("thinking", run=self.run.number, **fields) if fields else None

    def take_chunk(self) -> TextChunk | None:
        """Return the text since the latest chunk, or all of it where the stored text may be incomplete."""
        before = self.context.text[self._start : self._sent]
        self._bytes += len(before.encode("utf-8", "surrogatepass"))
        self._start, self._sent = self._sent, len(self.context.text)
        if self._start == self._sent:
            return None
        if self.is_incomplete:
            return self.whole_chunk()
        run, text = self.run, self.context.text[self._start : self._sent]
        return TextChunk(run.id, run.token, run.number, text, self._bytes)

    def whole_chunk(self) -> TextChunk:
        """Return all text up to the end of the latest chunk."""
        run = self.run
        return TextChunk(run.id, run.token, run.number, self.context.text[: self._sent], 0)

    def delta_event(self) -> messages.Event:
        """Return the event of the latest chunk."""
        run, text = self.run, self.context.text[self._start : self._sent]
        return self.event("delta", run=run.number, attempt=run.attempt, offset=self._start, text=text)

    def event(self, name: str, **fields: Any) -> messages.Event:
        """Return an event of the run."""
        return messages.event_of_run(self.run, name, **fields)


def _ignore(name: str, fields: dict[str, Any]) -> None:
    """Take the output of what a handler has left running."""


async def _go_on() -> None:
    """Wait for nothing."""
