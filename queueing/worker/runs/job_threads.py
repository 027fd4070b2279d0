"""The threads in which plain functions run, and what is known of those that run on after their run ended."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from queue import SimpleQueue
from typing import Any

from .active_runs import Claim

#: Idle threads that are kept for the next functions. Others end.
_MAX_IDLE = 32
#: Seconds that a function has to end after its run was stopped. After them its thread counts as hung.
_STOP_TIMEOUT = 5.0

#: The claim whose run this task, and all that it starts, belongs to.
CLAIM: ContextVar[Claim | None] = ContextVar("claim", default=None)


def task_of(claim: Claim, coroutine: Any) -> asyncio.Task[Any]:
    """Start a task whose context names the claim, also for all that it starts."""
    before = CLAIM.set(claim)
    try:
        return asyncio.create_task(coroutine)
    finally:
        CLAIM.reset(before)


#: A future, and the function that gives its result.
_Work = tuple["Future[Any]", Callable[[], Any]]


class JobThreads(Executor):
    """One thread for each function, so no function waits for another. The slots of the worker limit them.

    A thread cannot be stopped from outside. After `stopped`, a function that runs on keeps its slot, and is
    hung when it has not ended in time. `on_end` is called on the loop when such a function ends at last. The
    threads are daemons: they end with the process.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._idle: list[SimpleQueue[_Work]] = []
        self._running: dict[Claim, Future[Any]] = {}
        self._stopped: dict[Claim, tuple[str, float]] = {}
        """Claim of a stopped run -> its kind, and when its function counts as hung, by `time.monotonic()`."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run the function in a thread, now."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        if claim := CLAIM.get():
            self._running[claim] = future
            future.add_done_callback(partial(self._forget, claim, asyncio.get_running_loop()))
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._serve, args=(inbox,), name="job", daemon=True).start()
        inbox.put((future, lambda: fn(*args, **kwargs)))
        return future

    def _forget(self, claim: Claim, loop: asyncio.AbstractEventLoop, _: "Future[Any]") -> None:
        self._running.pop(claim, None)
        if self._stopped.pop(claim, None):
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._on_end)

    def _serve(self, inbox: "SimpleQueue[_Work]") -> None:
        while True:
            future, function = inbox.get()
            value, error = None, None
            try:
                value = function()
            except BaseException as exc:
                error = exc
            is_kept = len(self._idle) < _MAX_IDLE
            if is_kept:
                self._idle.append(inbox)
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
            if not is_kept:
                return
            del future, function, value, error  # while it waits, it must not keep what they refer to

    def stopped(self, claim: Claim, kind: str, *, timeout_at: float = 0.0) -> None:
        """Note that a run was stopped. Its function is hung if it runs on, but not before the timeout."""
        if claim in self._running:
            self._stopped[claim] = kind, max(time.monotonic(), timeout_at) + _STOP_TIMEOUT
            if claim not in self._running:  # it has ended meanwhile
                self._stopped.pop(claim, None)

    @property
    def is_any_running(self) -> bool:
        """Whether any function runs."""
        return bool(self._running)

    def is_running(self, claim: Claim) -> bool:
        """Return whether the function of a run still runs."""
        return claim in self._running

    async def ended(self, claim: Claim) -> None:
        """Wait until the function of a run has ended."""
        if future := self._running.get(claim):
            await asyncio.wait([asyncio.wrap_future(future)])

    def running_on(self) -> dict[Claim, str]:
        """Return the claims of stopped runs whose function runs on, with their kinds."""
        return {claim: kind for claim, (kind, _) in list(self._stopped.items())}

    def hung(self) -> Counter[str]:
        """Return the kinds of the functions among them that have not ended in time, with their numbers."""
        now = time.monotonic()
        return Counter(kind for kind, end in list(self._stopped.values()) if end < now)
