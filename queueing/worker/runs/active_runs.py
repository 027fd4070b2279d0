"""The runs that a worker has active, and how they are stopped."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from queueing.conf import EngineConf

from .run_output import FLUSH_TIMEOUT, RunOutput

logger = logging.getLogger(__name__)

#: A job's id and the token of the claim. The id alone is not unique: a run that lost its lease and the run
#: that took over may both be active here.
Claim = tuple[str, str]

#: Seconds between checks for runs that exceed their timeout.
_TIMEOUT_CHECK_INTERVAL = 0.25
#: Seconds after which a run that ignores its cancellation gets its outcome without it.
_CANCEL_TIMEOUT = 2.0


class Stop(Enum):
    """Why a run was stopped."""

    DROPPED = "its outcome is not needed"
    TIMED_OUT = "it exceeded its timeout"
    RELEASED = "the worker stops, and gives it back"


@dataclass(slots=True)
class ActiveRun:
    """A run, and what is known of its end."""

    task: asyncio.Task[None]
    output: RunOutput
    stop: Stop | None = None
    stopped_at: float = 0.0
    """When it was stopped, by the monotonic clock."""
    has_outcome: bool = False
    """Whether its handler has left, or was given up: from now on the task must not be cancelled."""


class ActiveRuns:
    """The active runs by claim. Being referenced here also keeps their tasks from the garbage collector.

    `on_abandoned` gets the runs that ignore their cancellation.
    """

    def __init__(self, conf: EngineConf, on_abandoned: Callable[[ActiveRun], None]) -> None:
        self._conf = conf
        self._on_abandoned = on_abandoned
        self._runs: dict[Claim, ActiveRun] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, claim: Claim, task: asyncio.Task[None], output: RunOutput) -> None:
        """Add a run that has begun."""
        self._runs[claim] = ActiveRun(task, output)

    def all(self) -> list[ActiveRun]:
        """Return all active runs. Any thread may call it."""
        return list(self._runs.values())

    def kind_of(self, claim: Claim) -> str | None:
        """Return the kind of an active run."""
        return active.output.run.kind_name if (active := self._runs.get(claim)) else None

    def has_left(self, claim: Claim) -> ActiveRun | None:
        """Note that the handler of a run has left. Return the run; None if its outcome is decided already."""
        active = self._runs.get(claim)
        if active is None or active.has_outcome:
            return None
        active.has_outcome = True
        return active

    def remove(self, claim: Claim) -> None:
        """Remove a finished run."""
        self._runs.pop(claim, None)

    def cancel(self, job_id: str) -> None:
        """Stop the runs of a cancelled job."""
        self.drop([claim for claim in self._runs if claim[0] == job_id])

    def rename_owner(self, old: str, new: str) -> None:
        """Make `new` the owner of the runs of `old`."""
        for active in self._runs.values():
            if active.output.run.owner == old:
                active.output.run.owner = active.output.context.owner = new

    def drop(self, claims: Iterable[Claim]) -> None:
        """Stop runs whose outcome is not needed: their job was cancelled, or another worker took over."""
        for claim in claims:
            if found := self._runs.get(claim):
                _stop(found, Stop.DROPPED)

    async def enforce_timeouts(self) -> None:
        """Cancel runs that exceed their timeout: one check for all, instead of a timer for each."""
        while True:
            await asyncio.sleep(_TIMEOUT_CHECK_INTERVAL)
            now = time.monotonic()
            for active in list(self._runs.values()):
                run = active.output.run
                if active.stop:
                    self._stop_again(active)
                elif run.began and now - run.began > run.timeout:
                    _stop(active, Stop.TIMED_OUT)

    def _stop_again(self, active: ActiveRun) -> None:
        """Repeat the cancellation, which asgiref's sync_to_async and some handlers swallow; then give up."""
        if time.monotonic() - active.stopped_at < _CANCEL_TIMEOUT:
            _stop(active, active.stop or Stop.DROPPED)
        elif not active.has_outcome:
            active.has_outcome = True
            run = active.output.run
            self.remove((run.id, run.token))
            logger.error("job %s (%s) ignores its cancellation and is given up", run.id, run.kind_name)
            self._on_abandoned(active)

    async def shut_down(self) -> None:
        """Let all runs finish within the grace time, then cancel those that are left."""
        tasks = [active.task for active in self._runs.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._conf.grace)
        while handled := [active for active in self._runs.values() if not active.has_outcome]:
            for active in handled:
                if active.stop:
                    self._stop_again(active)
                else:
                    _stop(active, Stop.RELEASED)
            await asyncio.wait([active.task for active in handled], timeout=0.05)
        if ending := [active.task for active in self._runs.values() if not active.task.done()]:
            await asyncio.wait(ending, timeout=FLUSH_TIMEOUT)  # the last text of those that have just left


def _stop(active: ActiveRun, reason: Stop) -> None:
    """Cancel a run, unless it has its outcome. The first reason stays."""
    if active.has_outcome:
        return
    if not active.stop:
        active.stop, active.stopped_at = reason, time.monotonic()
    active.output.context.cancelled = True  # a plain function in a thread can only check this
    active.task.cancel()


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until all are done: a cancellation during asgiref's sync_to_async has no effect."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.05)
