"""A value that many clients ask for, read once for all of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class SharedReading(Generic[T]):
    """The value that `read` returns. On each event loop it is read at most once in `seconds`."""

    def __init__(self, read: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._latest: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[float, asyncio.Future[T]]]
        self._latest = WeakKeyDictionary()

    async def get(self) -> T:
        """Return a value that was read less than `seconds` ago, or is read now. Raise as `read` does."""
        loop = asyncio.get_running_loop()
        read_at, reading = self._latest.get(loop, (0.0, None))
        if reading is None or (reading.done() and time.monotonic() > read_at + self._seconds):
            reading = asyncio.ensure_future(self._read())
            self._latest[loop] = time.monotonic(), reading
        return await asyncio.shield(
            reading
        )  # a client that disconnects does not end the reading of the others
