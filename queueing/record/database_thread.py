"""Database work off the event loop: `in_thread` for any process, `DatabaseThread` for a worker."""

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

#: A future, and what to do for it.
_Work = tuple["asyncio.Future[Any]", Callable[[], Any]]


class DatabaseThread:
    """Runs the record's synchronous functions one after the other on one connection.

    A thread and a queue: an executor's hop there and back takes half as long again.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="record", daemon=True)
        self._thread.start()

    async def run_sync(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(*args)` on the thread. A connection that an error has spoilt is not used again."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._work.put((future, lambda: function(*args, **kwargs)))
        return await future

    async def refresh(self) -> None:
        """Drop the connection if it is too old or has gone."""
        await self.run_sync(close_old_connections)

    def close(self) -> None:
        """End the thread once it has nothing left to do."""
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
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                future.get_loop().call_soon_threadsafe(_settle, future, value, error)
        connection.close()


def _settle(future: "asyncio.Future[Any]", value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
