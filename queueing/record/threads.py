"""Threads that keep no database connection between two functions."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, ParamSpec, TypeVar

from django.db import connections

from .database_thread import tidily

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds without work after which a thread ends, and with it a connection that no pool takes back.
_IDLE = 60.0


class TidyThreads(ThreadPoolExecutor):
    """A pool of threads that give their connection back after each function, however it ended.

    The threads are daemons, unlike those of the base class, for which the end of a process waits: a function
    that waits for an event loop that has ended (`async_to_sync`) would keep a web process alive forever.
    A thread that has nothing to do for a while ends.
    """

    def __init__(self, size: int, thread_name_prefix: str = "tidy") -> None:
        super().__init__(size, thread_name_prefix)  # asyncio takes no other class as its default executor
        self._size, self._name = size, thread_name_prefix
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = Lock()
        self._alive = 0
        self._unfinished = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        self.run(partial(_settle, future, partial(tidily, fn, *args, **kwargs)))
        return future

    def run(self, work: Callable[[], None]) -> None:
        """Do some work on a thread. It must neither raise nor leave a connection that is to be given back."""
        with self._lock:
            self._work.put(work)
            self._unfinished += 1
            if self._alive < min(self._size, self._unfinished):
                self._alive += 1
                Thread(target=self._serve, name=self._name, daemon=True).start()

    def _may_end(self) -> bool:
        with self._lock:
            is_idle = self._work.empty()
            self._alive -= is_idle
            return is_idle

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=_IDLE)
            except Empty:
                if self._may_end():
                    return connections.close_all()
                continue
            work()
            del work  # nothing may live on only because this thread is idle
            with self._lock:
                self._unfinished -= 1


class SerialThread(Executor):
    """An executor that runs functions one after the other on threads of a pool.

    It suits asgiref's `ThreadSensitiveContext`. Something that only waits, for example an event stream,
    then holds neither a thread nor a connection. Threads that last spare each request a new connection.
    """

    def __init__(self, pool: TidyThreads) -> None:
        self._pool = pool
        self._lock = Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_running = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append(partial(_settle, future, partial(tidily, fn, *args, **kwargs)))
            if self._is_running:
                return future
            self._is_running = True
        self._pool.run(self._run_next)
        return future

    def _run_next(self) -> None:
        with self._lock:
            work = self._waiting.popleft()
        work()
        with self._lock:
            self._is_running = has_more = bool(self._waiting)
        if has_more:
            self._pool.run(self._run_next)


def _settle(future: "Future[Any]", function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        value = function()
    except BaseException as exc:
        future.set_exception(exc)
    else:
        future.set_result(value)
