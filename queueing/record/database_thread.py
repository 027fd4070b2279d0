"""Run database work off the event loop: `in_thread` in any process, `DatabaseThread` in a worker."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import close_old_connections, connection

P = ParamSpec("P")
T = TypeVar("T")

#: `await in_thread(function)(*args)` runs a synchronous function on a pool thread and tidies its connection.
in_thread = partial(database_sync_to_async, thread_sensitive=False)

#: A future, and the function that gives its result.
_Work = tuple["asyncio.Future[Any]", Callable[[], Any]]


class DatabaseThread:
    """A worker's one database thread. It runs synchronous functions one after the other on one connection.

    A thread with a queue is faster than an executor, whose calls take 1.5 times as long.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="record", daemon=True)
        self._thread.start()

    async def run_sync(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` on the thread and return its result. After an error the connection is closed."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._work.put((future, lambda: function(*args, **kwargs)))
        return await future

    async def refresh(self) -> None:
        """Close the connection if it is too old or broken."""
        await self.run_sync(close_old_connections)

    def close(self) -> None:
        """End the thread after the work that is queued."""
        self._work.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while work := self._work.get():
            future, function = work
            if future.cancelled():
                continue
            value, error = None, None
            try:
                value = function()
            except BaseException as exc:
                connection.close()
                error = exc
            with suppress(RuntimeError):  # the loop is closed, so no caller waits
                future.get_loop().call_soon_threadsafe(_settle, future, value, error)
        connection.close()


def _settle(future: "asyncio.Future[Any]", value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
