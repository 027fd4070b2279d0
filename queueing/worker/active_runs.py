"""The runs a worker has under way, and how they are stopped."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.utils import timezone

from queueing.conf import EngineConf

from .output import Stream

#: A job's id and the token it is held under. An id alone may be held twice: by a run that lost its
#: lease and by the one that took over.
Claim = tuple[str, str]

#: Seconds between looks for attempts that are over their time.
_LOOK_FOR_LATE = 0.25
#: Seconds a job that ignores its cancellation is waited for.
_LAST_WAIT = 2.0


class Running:
    """Tasks by claim. Being here also keeps them from the garbage collector."""

    def __init__(self, conf: EngineConf) -> None:
        self._conf = conf
        self._runs: dict[Claim, tuple[asyncio.Task[None], Stream]] = {}
        self.dropped: set[Claim] = set()
        """Stopped, since nobody wants their outcome any more."""
        self.late: set[Claim] = set()
        """Stopped, since they took longer than their queue allows."""

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, claim: Claim, task: asyncio.Task[None], stream: Stream) -> None:
        """A run has begun."""
        self._runs[claim] = (task, stream)

    def forget(self, claim: Claim) -> None:
        """It is over."""
        self._runs.pop(claim, None)
        self.dropped.discard(claim)
        self.late.discard(claim)

    def cancel(self, job_id: str) -> None:
        """The job was cancelled: stop its run."""
        self.drop([claim for claim in self._runs if claim[0] == job_id])

    def rename_owner(self, old: str, new: str) -> None:
        """What runs for `old` tells and belongs to `new` from now on."""
        for _, stream in self._runs.values():
            if stream.run.owner == old:
                stream.run.owner = stream.context.owner = new

    def drop(self, claims: Iterable[Claim]) -> None:
        """Stop runs whose outcome nobody wants any more: cancelled, or taken over."""
        for claim in claims:
            if found := self._runs.get(claim):
                self.dropped.add(claim)
                _stop(*found)

    async def stop_the_late(self) -> None:
        """Cancel what runs longer than its queue allows: one look over all, not a timer for each."""
        while True:
            await asyncio.sleep(_LOOK_FOR_LATE)
            now = timezone.now()
            for claim, (task, stream) in list(self._runs.items()):
                run = stream.run
                if claim in self.dropped:
                    _stop(task, stream)  # once more, see end_all
                elif (now - run.started_at).total_seconds() > self._conf.queues[run.queue].timeout:
                    self.late.add(claim)
                    _stop(task, stream)

    async def wind_down(self) -> None:
        """Let all finish within the grace time, then cancel what is left."""
        tasks = [task for task, _ in self._runs.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._conf.grace)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WAIT):
                await end_all([task for task, _ in self._runs.values()])


def _stop(task: asyncio.Task[None], stream: Stream) -> None:
    stream.context.cancelled = True  # a plain function's thread can only be told
    task.cancel()


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until all are done: asgiref's sync_to_async swallows a cancellation that arrives during it."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.05)
