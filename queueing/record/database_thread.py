"""Run database work off the event loop: `in_thread` in any process, `DatabaseThread` in a worker."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection, connections

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: A future, and the function that gives its result.
_Work = tuple["asyncio.Future[Any]", Callable[[], Any]]


def in_thread(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return `function` as a coroutine function that runs on a thread of the loop's pool, `tidily`."""
    return sync_to_async(partial(tidily, function), thread_sensitive=False)


def tidily(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function`, then give back or close connections that the thread's next function must not have."""
    try:
        return function(*args, **kwargs)
    finally:
        tidy_connections(keep=True)


class DatabaseThread:
    """A worker's one database thread. It runs synchronous functions one after the other on one connection.

    A thread with a queue is faster than an executor, whose calls take 1.5 times as long.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="record", daemon=True)
        self._thread.start()

    async def run_sync(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` on the thread and return its result. After an error the connection is closed.

        It runs in a context of its own, so an end hook that sets a language or a time zone sets its own.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        context = copy_context()
        self._work.put((future, lambda: context.run(function, *args, **kwargs)))
        return await future

    async def refresh(self) -> None:
        """Close the connection if it is too old or broken."""
        await self.run_sync(tidy_connections)

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
                if connection.in_atomic_block:
                    raise RuntimeError("a transaction was left open, so nothing of it is stored")
            except BaseException as exc:
                tidy_connections(close=True)
                error = exc
            with suppress(RuntimeError):  # the loop is closed, so no caller waits
                future.get_loop().call_soon_threadsafe(_settle, future, value, error)
        connection.close()


def _settle(future: "asyncio.Future[Any]", value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    elif isinstance(error, Exception) and not isinstance(error, StopIteration):
        future.set_exception(error)
    else:  # an end hook called `sys.exit`, for example: the task that waits must go on
        failure = RuntimeError(f"{type(error).__name__} left a function of the database thread")
        failure.__cause__ = error
        future.set_exception(failure)


def tidy_connections(*, close: bool = False, keep: bool = False) -> None:
    """Close the connections of this thread that are too old or broken; with `close`, all. Never raises.

    With `keep`, a connection to SQLite stays open for the next function: no other thread waits for it, and
    unlike one to a server it does not break while it is idle.
    A connection whose transaction was left open is replaced by a new object: Django keeps the state of the
    transaction in the object, also after the connection is closed.
    """
    for found in connections.all(initialized_only=True):
        left_open = found.in_atomic_block or found.execute_wrappers or _changed_autocommit(found)
        try:
            if close or left_open:
                found.close()
            elif not keep or found.errors_occurred or found.vendor != "sqlite":
                found.close_if_unusable_or_obsolete()
        except Exception:
            logger.exception("closing the database connection %s failed", found.alias)
        if left_open:
            logger.error("a transaction was left open and is rolled back (%s)", found.alias)
            del connections[found.alias]


def _changed_autocommit(found: Any) -> bool:
    return found.connection is not None and found.autocommit != found.settings_dict["AUTOCOMMIT"]
