"""The tasks of Django-Q2 that a worker runs, beside its jobs."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from django.db import Error as DatabaseError

from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client
from queueing.schedule.scripts import Claimed
from queueing.states import State
from queueing.worker import returns
from queueing.worker.runs.active_runs import Claim
from queueing.worker.runs.job_threads import JobThreads, task_of

from . import task

logger = logging.getLogger(__name__)

#: Seconds until a task runs again that could not use the database or Redis.
_PAUSE = 1.0
#: Seconds for a task to leave after its cancellation.
_CANCEL_TIMEOUT = 2.0


class Packages:
    """The running tasks of one worker. `free` gets the claims that have ended."""

    def __init__(
        self, threads: JobThreads, database: DatabaseThread, free: Callable[[Iterable[Claim]], None]
    ) -> None:
        self._threads = threads
        self._database = database
        self._free = free
        self._running: dict[asyncio.Task[None], tuple[Claimed, str]] = {}

    def start(self, job: Claimed, token: str) -> None:
        """Run a claimed task."""
        running = task_of((job.id, token), self._run(job, token))
        self._running[running] = job, token
        running.add_done_callback(lambda done: self._running.pop(done, None))

    async def shut_down(self, grace: float) -> None:
        """Let all tasks finish within the grace time, then give those that are left back."""
        if not self._running:
            return
        await asyncio.wait(list(self._running), timeout=grace)
        left = dict(self._running)
        for running in left:
            running.cancel()
        if left:
            await asyncio.wait(list(left), timeout=_CANCEL_TIMEOUT)
        for job, token in self._running.values():  # they ignore the cancellation
            await returns.give_back([job], token)

    async def _run(self, job: Claimed, token: str) -> None:
        try:
            await task.run_package((job.id, token), self._threads, self._database)
        except asyncio.CancelledError:
            await returns.give_back([job], token)
        except (*redis_client.Unavailable, DatabaseError) as exc:
            logger.error("task %s was not finished (%s); it runs again", job.id, exc)
            await asyncio.sleep(_PAUSE)
            await returns.give_back([job], token)
        except BaseException:
            logger.exception("task %s was not finished; it is deleted from the queue", job.id)
            await returns.finish([job], token, State.FAILED, wake=True)
        else:
            await returns.finish([job], token, State.COMPLETED, wake=False)
        self._free([(job.id, token)])
