"""Looks at the queues again and again, in a thread of its own: keys are heard also while Redis hangs."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Any

from django.db import DatabaseError

from queueing.monitoring import failures, health
from queueing.monitoring.overview import active_jobs
from queueing.record.database_thread import in_thread
from queueing.schedule import redis_client


@dataclass(frozen=True)
class Seen:
    """What the last look brought."""

    overview: dict[str, Any] | None = None
    """As `health.look` gives it; the latest there was while the database is away, None before the first."""
    groups: list[failures.Group] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    """Why there is nothing newer; empty when all is well."""
    at: float = field(default_factory=time.time)
    """When `overview` was so."""


class Watcher(Thread):
    """`seen` is the latest look, with what `view` shows beside the queues; `notify` is called after each."""

    def __init__(self, interval: float, notify: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.seen = Seen()
        self.view = "queues"
        self._interval = interval
        self._notify = notify
        self._again: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = False

    def again(self) -> None:
        """Look now, not at the next turn; safe from any thread."""
        if self._loop and self._again:
            self._loop.call_soon_threadsafe(self._again.set)

    def stop(self) -> None:
        """End the thread after the look it is at."""
        self._over = True
        self.again()

    def run(self) -> None:
        """The thread."""
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        self._loop, self._again = asyncio.get_running_loop(), asyncio.Event()
        try:
            while not self._over:
                self.seen = await look(self.seen, self.view)
                self._notify()
                try:
                    await asyncio.wait_for(self._again.wait(), self._interval)
                except TimeoutError:
                    continue
                self._again.clear()
        finally:
            await redis_client.aclose()


async def look(before: Seen, view: str = "queues") -> Seen:
    """What `view` needs; when that fails, what was seen `before` and why there is nothing newer."""
    try:
        overview = await health.queue_health()
        groups, jobs = [], []
        if view == "failures":
            groups = await in_thread(failures.groups)()
        if view == "jobs" and overview["redis"] == "ok":
            jobs = await active_jobs()
    except Exception as exc:  # whatever it is, the next look may go well, and the screen stays
        what = "The database is away" if isinstance(exc, DatabaseError) else "This look failed"
        problem = f"{what} ({type(exc).__name__}); it is tried again."
        return replace(before, problem=problem)
    return Seen(overview, groups, jobs)
