"""How far one client has read a job's events, and following a job to its end.

A delta names its offset, so a lost one shows by the offset of the next.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Self

from queueing.models import Job

from . import messages
from .catch_up import catch_up
from .delivery import group_of
from .layers import get_channel_layer
from .messages import Event, is_terminal, name_of

#: Seconds without an event after which the record is checked: with a channel layer, and without one.
_POLL_INTERVAL, _POLL_INTERVAL_ALONE = 5.0, 1.0


class EventCursor:
    """The point up to which one client has read a job: `offset` characters of run number `run`."""

    def __init__(self, run: int | None = None, offset: int = 0) -> None:
        self.run = run
        self.offset = offset
        self._last: Event | None = None

    def has_gap_before(self, event: Event) -> bool:
        """Return whether text between the cursor and this event is missing."""
        if not event["type"].endswith(":delta"):
            return False
        if self.run is not None and event["run"] < self.run:
            return False
        return bool(event["offset"] > (self.offset if event["run"] == self.run else 0))

    def advance(self, event: Event) -> Event | None:
        """Move past the event; return it without the text already read, or None when nothing is new."""
        if "run" in event and event["run"] != self.run:
            if self.run is not None and event["run"] < self.run:
                return None
            self.run, self.offset = event["run"], 0
        if name_of(event) != "delta":
            if event == self._last:
                return None
            self._last = event
            return event
        new_text = event["text"][self.offset - event["offset"] :]
        if not new_text:
            return None
        event = event | {"offset": self.offset, "text": new_text}
        self.offset += len(new_text)
        return event


async def follow(job: Job, *, run: int | None = None, offset: int = 0) -> AsyncGenerator[Event, None]:
    """Yield every event after `offset` characters of `run`, to the terminal one, without gap or repeat."""
    cursor = EventCursor(run, offset)
    async with _Inbox(job.owner) as inbox:
        while True:
            for event in await _missed(job, cursor):
                if new := cursor.advance(event):
                    yield new
                if is_terminal(event):
                    return
            async for event in inbox.live(job.id.hex):
                if cursor.has_gap_before(event):
                    break  # an event was lost on the way: catch up
                if new := cursor.advance(event):
                    yield new
                if is_terminal(event):
                    return


class _Inbox:
    """An owner's events as the channel layer delivers them. Without a layer it stays empty."""

    def __init__(self, owner: str) -> None:
        self._layer: Any = get_channel_layer()
        self._group = group_of(owner)

    async def __aenter__(self) -> Self:
        if self._layer is None:
            self._receiving = asyncio.get_running_loop().create_future()
            return self
        self._channel = await self._layer.new_channel("follow.")
        self._receive()
        await self._layer.group_add(self._group, self._channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._receiving.cancel()
        await asyncio.gather(self._receiving, return_exceptions=True)
        if self._layer is None:
            return
        with contextlib.suppress(Exception):  # a layer that is reconnecting raises various exceptions
            await self._layer.group_discard(self._group, self._channel)
        await close_channel(self._layer, self._channel)

    async def live(self, job_id: str) -> AsyncIterator[Event]:
        """Yield the job's events as they arrive, until none has arrived for the poll interval."""
        interval = _POLL_INTERVAL if self._layer else _POLL_INTERVAL_ALONE
        ends = time.monotonic() + interval
        while event := await self._next(ends - time.monotonic()):
            if event.get("jobId") == job_id:
                yield event
                ends = time.monotonic() + interval

    def _receive(self) -> None:
        """Start to wait for the next message. Cancelling the wait would end the subscription."""
        self._receiving = asyncio.ensure_future(self._layer.receive(self._channel))

    async def _next(self, seconds: float) -> Event | None:
        done, _ = await asyncio.wait({self._receiving}, timeout=max(0.0, seconds))
        if not done:
            return None
        message = self._receiving.result()
        self._receive()
        return dict(message.get("event", {"type": "none"}))


async def close_channel(layer: Any, channel: str) -> None:
    """Close a channel of the layer with its subscription.

    The layer does so when its receiver is cancelled, but not when a message reached the receiver at that
    moment: then channel and subscription would never be removed.
    """
    while channel in getattr(layer, "channels", ()):
        receiver = asyncio.ensure_future(layer.receive(channel))
        await asyncio.sleep(0)
        receiver.cancel()
        await asyncio.gather(receiver, return_exceptions=True)


async def _missed(job: Job, cursor: EventCursor) -> list[Event]:
    try:
        return await catch_up(job.id.hex, run=cursor.run, offset=cursor.offset)
    except Job.DoesNotExist:
        return [messages.deleted_event(messages.event_of(job, "position"))]
