"""How far one watcher has read of a job, and following a job to its end.

A delta says where it belongs, so what was lost shows by the offset of what comes after it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Self

from channels.layers import get_channel_layer

from queueing.models import Job

from . import messages
from .messages import Event, group_of, is_terminal, name_of

#: Seconds between looks at the record by a follower whom the channel layer tells nothing.
_LOOK_AGAIN = 5.0


class Reader:
    """How far one watcher has read; drops what it has, and notices what it misses."""

    def __init__(self, run: int | None = None, offset: int = 0) -> None:
        self.run = run
        self.offset = offset
        self._last: Event | None = None

    def misses(self, event: Event) -> bool:
        """Whether text between what was read and this event is missing."""
        if not event["type"].endswith(":delta"):
            return False
        if self.run is not None and event["run"] < self.run:
            return False
        return bool(event["offset"] > (self.offset if event["run"] == self.run else 0))

    def take(self, event: Event) -> Event | None:
        """The event, less what was read already; None when nothing of it is new."""
        if "run" in event and event["run"] != self.run:
            if self.run is not None and event["run"] < self.run:
                return None
            self.run, self.offset = event["run"], 0
        if name_of(event) != "delta":
            if event == self._last:
                return None
            self._last = event
            return event
        fresh = event["text"][self.offset - event["offset"] :]
        if not fresh:
            return None
        event = event | {"offset": self.offset, "text": fresh}
        self.offset += len(fresh)
        return event


async def follow(job: Job, *, run: int | None = None, offset: int = 0) -> AsyncIterator[Event]:
    """Every event from there to the terminal one, without gap or repeat."""
    seen = Reader(run, offset)
    async with _Inbox(job.owner) as inbox:
        while True:
            for event in await _missed(job, seen):
                if fresh := seen.take(event):
                    yield fresh
                if is_terminal(event):
                    return
            async for event in inbox.live(job.id.hex):
                if seen.misses(event):
                    break  # something was lost on the way: catch up
                if fresh := seen.take(event):
                    yield fresh
                if is_terminal(event):
                    return


class _Inbox:
    """An owner's events as the channel layer brings them."""

    def __init__(self, owner: str) -> None:
        self._layer: Any = get_channel_layer()
        self._group = group_of(owner)

    async def __aenter__(self) -> Self:
        self._channel = await self._layer.new_channel("follow.")
        self._receive()
        await self._layer.group_add(self._group, self._channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._receiving.cancel()
        await asyncio.gather(self._receiving, return_exceptions=True)
        with contextlib.suppress(Exception):  # a layer that is just reconnecting raises all sorts of things
            await self._layer.group_discard(self._group, self._channel)
        await forget_channel(self._layer, self._channel)

    async def live(self, job_id: str) -> AsyncIterator[Event]:
        """The job's events as they come; ends when none has come for a while."""
        ends = time.monotonic() + _LOOK_AGAIN
        while event := await self._next(ends - time.monotonic()):
            if event.get("jobId") == job_id:
                yield event
                ends = time.monotonic() + _LOOK_AGAIN

    def _receive(self) -> None:
        """Begin to wait for the next one. It outlives a wait for it: its end would end the subscription."""
        self._receiving = asyncio.ensure_future(self._layer.receive(self._channel))

    async def _next(self, patience: float) -> Event | None:
        done, _ = await asyncio.wait({self._receiving}, timeout=max(0.0, patience))
        if not done:
            return None
        message = self._receiving.result()
        self._receive()
        return dict(message.get("event", {"type": "none"}))


async def forget_channel(layer: Any, channel: str) -> None:
    """End a channel for good. The layer does so when its receiver is cancelled, but not when a message
    reached the receiver at that very moment: then the channel and its subscription would stay for ever.
    """
    while channel in getattr(layer, "channels", ()):
        receiver = asyncio.ensure_future(layer.receive(channel))
        await asyncio.sleep(0)
        receiver.cancel()
        await asyncio.gather(receiver, return_exceptions=True)


async def _missed(job: Job, seen: Reader) -> list[Event]:
    try:
        return await messages.catch_up(job.id.hex, run=seen.run, offset=seen.offset)
    except Job.DoesNotExist:
        return [messages.vanished(messages.event_of(job, "position"))]
