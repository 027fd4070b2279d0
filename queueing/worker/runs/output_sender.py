"""From a handler's `ctx.delta` to the clients: stored in Redis first, then announced.

The first piece of text is sent at once. What comes during a round of sending, and during the pause after it,
is sent together in the next round. The pause is `_PAUSE` times the processor time of the round. So an idle
worker adds no delay, and sending never takes more than a part of its time: with more load a round has more
runs, a run sends more text at once, and the cost of a token falls. A slow client delays no other: sending
never waits for clients.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from weakref import WeakKeyDictionary

from queueing.events import delivery, messages, progress
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import TextChunk

from .run_output import RunOutput

logger = logging.getLogger(__name__)

#: The pause after a round, divided by its processor time, and its maximum in seconds.
_PAUSE, _MAX_PAUSE = 0.25, 0.05
#: Runs sent together. The first of a longer round would wait for the last.
_MAX_RUNS_PER_SEND = 100
#: Seconds that the text of an answer is stored in Redis after its start.
_TEXT_TTL = 3600


class OutputSender:
    """The sender of one event loop, for the output of all its runs."""

    _instances: "WeakKeyDictionary[asyncio.AbstractEventLoop, OutputSender]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._queue: dict[RunOutput, None] = {}
        self._urgent: dict[RunOutput, None] = {}
        """Those of the queue that are sent without the pause."""
        self._due = 0.0
        """When the pause after the last round ends, by the loop's clock."""
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
        """Wait until all output of the run is sent, without waiting for the pause."""
        while output.has_unsent or output.is_sending:
            if output.has_unsent:
                self.add(output)
                self._urgent[output] = None
                self._send_now.set()
            await asyncio.shield(self._round_done)

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            is_due = await self._wait()
            began = time.thread_time()
            queue: Iterable[RunOutput] = self._queue if is_due else ()
            outputs = list(dict.fromkeys(islice(chain(self._urgent, queue), _MAX_RUNS_PER_SEND)))
            await self._begin_round(outputs)
            try:
                await _send_all(outputs)
            except Exception:
                logger.exception("sending the output of %d jobs failed", len(outputs))
            self._end_round(outputs)
            if is_due:
                used = time.thread_time() - began
                self._due = loop.time() + min(_MAX_PAUSE, _PAUSE * used)

    async def _wait(self) -> bool:
        """Wait for the end of the pause, or for a run that does not wait. Return whether it is over."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._due:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._due):
                    await self._send_now.wait()
        return loop.time() >= self._due

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
            await redis_client.arun(scripts.append([o.whole_chunk() for o in gone], keep=_TEXT_TTL))
    except redis_client.Unavailable as exc:
        if len(chunks) > 1 and not isinstance(exc, redis_client.Unreachable):
            return [event for o in outputs for event in await _store([(o, o.whole_chunk())])]
        logger.warning("the text of %d jobs was not stored: %s", len(chunks), exc)
        return []
    for output, reply in zip(outputs, replies, strict=True):
        output.is_incomplete = reply == 0
    return [(o.run.owner, o.delta_event()) for o, reply in zip(outputs, replies, strict=True) if reply]
