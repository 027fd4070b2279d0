"""Read the queues repeatedly in a thread of its own, so that the screen handles keys while Redis hangs."""

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

from . import texts


@dataclass(frozen=True)
class Snapshot:
    """The result of the latest poll."""

    overview: dict[str, Any] | None = None
    """The latest result of `queue_health`; None before the first."""
    groups: list[failures.Group] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    """Why the snapshot is not newer; empty after a successful poll."""
    at: float = field(default_factory=time.time)
    """When `overview` was read (Unix time)."""


class Poller(Thread):
    """Keeps `snapshot` up to date for the current `view`, and calls `notify` after each poll."""

    def __init__(self, interval: float, notify: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.snapshot = Snapshot()
        self.view = "queues"
        self._interval = interval
        self._notify = notify
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def poll_now(self) -> None:
        """Poll without waiting for the interval; safe from any thread."""
        if self._loop and self._wake:
            self._loop.call_soon_threadsafe(self._wake.set)

    def stop(self) -> None:
        """End the thread after the current poll."""
        self._stopping = True
        self.poll_now()

    def run(self) -> None:
        """Run the thread."""
        asyncio.run(self._poll_until_stopped())

    async def _poll_until_stopped(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        try:
            while not self._stopping:
                self.snapshot = await poll(self.snapshot, self.view)
                self._notify()
                try:
                    await asyncio.wait_for(self._wake.wait(), self._interval)
                except TimeoutError:
                    continue
                self._wake.clear()
        finally:
            await redis_client.aclose()


async def poll(before: Snapshot, view: str = "queues") -> Snapshot:
    """Read what `view` needs. After an error return the snapshot `before` with the problem."""
    try:
        overview = await health.queue_health()
        groups, jobs = [], []
        if view == "failures":
            groups = await in_thread(failures.groups)()
        if view == "jobs" and overview["redis"] == "ok":
            jobs = await active_jobs()
    except Exception as exc:  # the screen must survive any error: the next poll may succeed
        problem = texts.poll_failed(exc, database=isinstance(exc, DatabaseError))
        return replace(before, problem=problem)
    return Snapshot(overview, groups, jobs)
