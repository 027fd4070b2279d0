"""The runs that a worker has active, and how they are stopped."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from queueing.conf import EngineConf

from .output import RunOutput

#: A job's id and the token of the claim. The id alone is not unique: a run that lost its lease and the run
#: that took over may both be active here.
Claim = tuple[str, str]

#: Seconds between checks for runs that exceed their timeout.
_TIMEOUT_CHECK_INTERVAL = 0.25
#: Seconds to wait for jobs that ignore their cancellation.
_CANCEL_TIMEOUT = 2.0


class ActiveRuns:
    """The tasks of runs, by claim. Being referenced here also keeps them from the garbage collector."""

    def __init__(self, conf: EngineConf) -> None:
        self._conf = conf
        self._runs: dict[Claim, tuple[asyncio.Task[None], RunOutput]] = {}
        self.dropped: set[Claim] = set()
        """Stopped because their outcome is not needed."""
        self.timed_out: set[Claim] = set()
        """Stopped because they exceeded their queue's timeout."""

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, claim: Claim, task: asyncio.Task[None], output: RunOutput) -> None:
        """Add a run that has begun."""
        self._runs[claim] = (task, output)

    def remove(self, claim: Claim) -> None:
        """Remove a finished run."""
        self._runs.pop(claim, None)
        self.dropped.discard(claim)
        self.timed_out.discard(claim)

    def cancel(self, job_id: str) -> None:
        """Stop the runs of a cancelled job."""
        self.drop([claim for claim in self._runs if claim[0] == job_id])

    def rename_owner(self, old: str, new: str) -> None:
        """Make `new` the owner of the runs of `old`."""
        for _, output in self._runs.values():
            if output.run.owner == old:
                output.run.owner = output.context.owner = new

    def drop(self, claims: Iterable[Claim]) -> None:
        """Stop runs whose outcome is not needed: their job was cancelled, or another worker took over."""
        for claim in claims:
            if found := self._runs.get(claim):
                self.dropped.add(claim)
                _stop(*found)

    async def enforce_timeouts(self) -> None:
        """Cancel runs that exceed their queue's timeout: one check for all, instead of a timer for each."""
        while True:
            await asyncio.sleep(_TIMEOUT_CHECK_INTERVAL)
            now = time.monotonic()
            for claim, (task, output) in list(self._runs.items()):
                run = output.run
                if claim in self.dropped:
                    _stop(task, output)  # again, for the reason given at `cancel_all`
                elif run.began and now - run.began > self._conf.queues[run.queue].timeout:
                    self.timed_out.add(claim)
                    _stop(task, output)

    async def shut_down(self) -> None:
        """Let all runs finish within the grace time, then cancel those that are left."""
        tasks = [task for task, _ in self._runs.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._conf.grace)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CANCEL_TIMEOUT):
                await cancel_all([task for task, _ in self._runs.values()])


def _stop(task: asyncio.Task[None], output: RunOutput) -> None:
    output.context.cancelled = True  # a plain function in a thread can only check this
    task.cancel()


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until all are done: a cancellation during asgiref's sync_to_async has no effect."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.05)
