"""The messages of the channel layer that wait for one socket.

Pieces of a text that wait one after the other are received as one. So a busy process, or a slow socket, has
fewer events to pass on, and an idle one passes on each piece at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from .messages import Event, name_of

Message = dict[str, Any]

#: Bytes that may wait for one socket. A slow socket loses events, which its follower makes up for.
MAX_WAITING_BYTES = 512 * 1024

#: Events whose loss shows in the events after them.
_DROPPABLE = ("delta", "progress")


class BoundedInbox(asyncio.Queue[bytes]):
    """The messages that wait for one socket, limited to MAX_WAITING_BYTES."""

    _queue: deque[bytes]

    def __init__(self, deserialize: Callable[[bytes], Message]) -> None:
        super().__init__()
        self._deserialize = deserialize

    async def next(self) -> Message:
        """Return the next message: a piece of a text with all waiting pieces that continue it."""
        message = self._deserialize(await self.get())
        event = message.get("event") if self._queue else None
        if not (event and name_of(event) == "delta"):
            return message
        texts, end = [event["text"]], event["offset"] + len(event["text"])
        while self._queue:
            following = self._deserialize(self._queue[0]).get("event")
            if not (following and _continues(event, end, following)):
                break
            self.get_nowait()
            texts.append(following["text"])
            end += len(following["text"])
        return message | {"event": event | {"text": "".join(texts)}}

    async def serve(
        self, receive: Callable[[], Awaitable[Message]], dispatch: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Do what `PubSubLayer.serve` describes."""
        received = asyncio.ensure_future(receive())
        received.add_done_callback(self._wake)
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                if received.done():
                    await dispatch(received.result())
                    received = asyncio.ensure_future(receive())
                    received.add_done_callback(self._wake)
                if self._queue:
                    await dispatch(await self.next())
                if self._queue:
                    self._changed.set()
                    await asyncio.sleep(0)  # other sockets take their turn
        finally:
            received.cancel()
            await asyncio.gather(received, return_exceptions=True)

    def _wake(self, _: object = None) -> None:
        self._changed.set()

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.size = 0
        """Bytes."""
        self._changed = asyncio.Event()
        """Set while there may be something for `serve`."""

    def _put(self, item: bytes) -> None:
        if self.size + len(item) > MAX_WAITING_BYTES:
            self._make_room()
        self.size += len(item)
        super()._put(item)
        self._changed.set()

    def _get(self) -> bytes:
        item: bytes = super()._get()
        self.size -= len(item)
        return item

    def _make_room(self) -> None:
        """Drop all text, since a single gap is cheap to fill; then, if necessary, the oldest other events."""
        waiting = [self._get() for _ in range(self.qsize())]
        for item in waiting:
            if not self._is_droppable(item):
                super()._put(item)
                self.size += len(item)
        while self.size > MAX_WAITING_BYTES // 2:
            self._get()

    def _is_droppable(self, item: bytes) -> bool:
        event = self._deserialize(item).get("event")
        return event is not None and name_of(event) in _DROPPABLE


def _continues(event: Event, end: int, following: Event) -> bool:
    """Return whether `following` is the piece of the same text that begins at `end`."""
    same = all(event[name] == following.get(name) for name in ("type", "jobId", "run"))
    return same and following["offset"] == end
