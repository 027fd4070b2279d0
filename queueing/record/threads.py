"""Threads that keep no database connection between two functions."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds without work after which a `SerialThread` ends.
_IDLE = 1.0


def give_back() -> None:
    """Give this thread's connections back to their pool, and close broken ones.

    A connection without a pool stays open for the thread's next function, which is no loss to others.
    """
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred or getattr(connection, "pool", None):
            connection.close_if_unusable_or_obsolete()


def _tidily(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return function(*args, **kwargs)
    finally:
        give_back()


class TidyThreads(ThreadPoolExecutor):
    """A pool of threads that give their connection back after each function, however it ended."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        return super().submit(partial(_tidily, fn, *args, **kwargs))


class SerialThread(Executor):
    """An executor that runs functions one after the other, and has no thread while there are none.

    It suits asgiref's `ThreadSensitiveContext`. Something that only waits, for example an event stream,
    then holds neither a thread nor a connection.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._lock = Lock()
        self._running = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        with self._lock:
            self._work.put((future, partial(_tidily, fn, *args, **kwargs)))
            if not self._running:
                self._running = True
                Thread(target=self._serve, name="serial", daemon=True).start()
        return future

    def _serve(self) -> None:
        while True:
            try:
                future, function = self._work.get(timeout=_IDLE)
            except Empty:
                with self._lock:
                    if self._work.empty():
                        self._running = False
                        return
                continue
            if future.set_running_or_notify_cancel():
                _settle(future, function)
            del future, function  # nothing may live on only because this thread is idle


def _settle(future: "Future[Any]", function: Callable[[], Any]) -> None:
    try:
        value = function()
    except BaseException as exc:
        future.set_exception(exc)
    else:
        future.set_result(value)
