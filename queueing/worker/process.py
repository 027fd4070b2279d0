"""The worker process: claims jobs for itself, runs hundreds at once on one loop, acknowledges in batches.

    bell (pub/sub) ─▶ claim ─▶ record.begin ─▶ one task a job ─▶ recorder ─▶ record, Redis, owner
                        ▲                                            │
                        └──────────────── slots free ────────────────┘

It shares no lock with any other process, so any of them may be killed at any moment.
"""

import asyncio
import faulthandler
import gc
import logging
import os
import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from django.db import Error as DatabaseError
from django.utils import timezone

from queueing.conf import DJANGO_Q_QUEUE, get_conf
from queueing.monitoring.counters import WorkerCounters
from queueing.record import attempts
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result, Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Claimed, Outcome
from queueing.states import State

from . import django_q_task, executor
from .active_runs import Claim, Running, end_all
from .identity import Identity
from .maintenance import Upkeep
from .notifier import Bell
from .output import Stream
from .result_writer import Recorder

logger = logging.getLogger(__name__)

#: Blocked across the fork, until the worker's own handlers are in place.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: Seconds between tries while Redis or the database is away.
_RIDE_OUT = 1.0
#: Plain functions that run at once; more wait for a thread.
_THREADS = 32


class Worker:
    """One worker process."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.conf = get_conf()
        self.slots = self.conf.slots or sum(q.concurrency for q in self.conf.queues.values())
        self.held: dict[Claim, str] = {}
        """What this worker holds: (id, token) -> queue."""
        self.stopping = asyncio.Event()
        self.running = Running(self.conf)
        self._claims = 0
        self._finished = 0
        self._database = DatabaseThread()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="job")
        self.account = WorkerCounters(identity.id)
        self._recorder = Recorder(self._database, self.account, self._settled, self.stopping)
        self._background: set[asyncio.Task[Any]] = set()
        self._upkeep = Upkeep(self, self._database)
        own, hurry = scripts.worker_channel(identity.id), self._upkeep.hurry
        self._bell = Bell(own, self.running, on_job=self._handed, on_limits=hurry)

    async def run(self) -> None:
        """Work until asked to stop, then finish what runs within the grace time and give back the rest."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C reaches the sentinel, which tells us
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        if self.identity.supervisor_pipe:
            heard, kept = self.identity.supervisor_pipe
            os.close(kept)
            loop.add_reader(heard, self._orphaned, heard)
        parts = (self._bell.run(), self._recorder.run(), self._upkeep.run(), self.running.stop_the_late())
        always = [self._spawn(part) for part in parts]
        claiming = self._spawn(self._claim_forever())
        broken = await self._until_told([*always, claiming])
        faulthandler.dump_traceback_later(self.conf.grace + 5)  # the sentinel kills us soon after: say where
        await end_all([claiming])
        logger.info("stopping: %d jobs get %g s to finish", len(self.running), self.conf.grace)
        await self.running.wind_down()
        if not broken:
            await self._recorder.drained()
        await end_all(always)
        await redis_client.aclose()  # a cancelled call may have left its connection with half a reply
        await self._upkeep.leave()
        self._database.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await redis_client.aclose()
        faulthandler.cancel_dump_traceback_later()
        if broken:
            raise SystemExit(1)  # not 0, which is how a worker ends that is recycled

    def _orphaned(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        logger.error("the sentinel is gone; stopping")
        self.stopping.set()

    async def _until_told(self, parts: list[asyncio.Task[Any]]) -> bool:
        """Until asked to stop; True if it stops because a part broke, which no part should."""
        told = self._spawn(self.stopping.wait())
        done, _ = await asyncio.wait([told, *parts], return_when=asyncio.FIRST_COMPLETED)
        self.stopping.set()
        if told in done:
            return False
        for part in done:
            logger.critical("a part of the worker broke; stopping", exc_info=part.exception())
        return True

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        """A task that is kept from the garbage collector until it is done."""
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _claim_forever(self) -> None:
        queues = sorted(self.conf.queues.values(), key=lambda q: q.priority)
        while True:
            self._bell.silence()
            free = self.slots - len(self.held)
            again_in: float | None = None
            if free > 0:
                self._claims += 1
                token, claimed_at = f"{self.identity.id}/{self._claims}", timezone.now()
                claim = scripts.claim(queues, token, free, channel=self._bell.own, idle=not self.held)
                try:
                    claims = await redis_client.arun(claim)
                except redis_client.Unavailable as exc:
                    logger.warning("Redis is away (%s); claiming again in %g s", exc, _RIDE_OUT)
                    await asyncio.sleep(_RIDE_OUT)
                    continue
                self._take(claims.jobs, token, claimed_at)
                if len(claims.jobs) == min(free, scripts.MAX_CLAIM_SIZE):
                    continue  # there may be more; fewer were all there are, and asking again only delays them
                again_in = claims.again_in
            await self._bell.wait(again_in)

    def resize(self, slots: int) -> None:
        """Hold so many jobs at once from now on."""
        if slots != self.slots:
            self.slots = slots
            self._bell.ring()

    def _handed(self, token: str, queue: str, job_id: str, at: int, limited: bool) -> None:
        """A job was claimed for us, since we had nothing to do, at `at` (ms since 1970)."""
        job = Claimed(job_id, queue, 0.0, limited)
        if self.stopping.is_set():
            self._spawn(self._give_back([job], token))
        else:
            self._take([job], token, datetime.fromtimestamp(at / 1000, UTC))

    def _take(self, jobs: list[Claimed], token: str, claimed_at: datetime) -> None:
        for job in jobs:
            self.held[job.id, token] = job.queue
            if job.queue == DJANGO_Q_QUEUE:
                self._spawn(self._run_package(job, token))
        if ours := [job for job in jobs if job.queue != DJANGO_Q_QUEUE]:
            self._spawn(self._begin(ours, token, claimed_at))

    async def _begin(self, jobs: list[Claimed], token: str, claimed_at: datetime) -> None:
        try:
            runs = await self._database.run_sync(attempts.begin, jobs, token, claimed_at)
        except DatabaseError as exc:
            logger.error("the database begins no jobs (%s); giving %d back", exc, len(jobs))
            await asyncio.sleep(_RIDE_OUT)
            await self._give_back(jobs, token)
            return
        begun = {run.id for run in runs}
        for run in runs:
            stream = Stream(run)
            # Without _spawn, whose callback costs a turn of the loop.
            self.running.add((run.id, token), asyncio.create_task(self._run(run, stream)), stream)
        if len(begun) < len(jobs):
            await self._forget([job for job in jobs if job.id not in begun], token)

    async def _run(self, run: Run, stream: Stream) -> None:
        if run.owner:
            self._spawn(stream.announce())
        try:
            result = await executor.execute(run, stream.context, self._threads)
        except asyncio.CancelledError:
            stream.context.cancelled = True
            if (run.id, run.token) in self.running.dropped:
                self._free([(run.id, run.token)])
                return
            result = self._why_cancelled(run, stream)
        if run.owner or stream.context.text:
            await stream.flush()
        result.text = stream.context.text
        result.lines = stream.lines
        self._recorder.put(result)

    def _why_cancelled(self, run: Run, stream: Stream) -> Result:
        if (run.id, run.token) in self.running.late:
            return executor.timed_out(run)
        if self.stopping.is_set():
            return executor.released(run, stream.context.text)
        return executor.failed(run, RuntimeError("the handler was cancelled from within"))

    async def _run_package(self, job: Claimed, token: str) -> None:
        try:
            await django_q_task.run_package(job.id, self._threads, self._database)
        except (*redis_client.Unavailable, DatabaseError) as exc:
            logger.error("task %s is not done (%s); it runs again when its lease ends", job.id, exc)
            self._free([(job.id, token)])
        else:
            await self._forget([job], token, State.COMPLETED)

    async def _forget(self, jobs: list[Claimed], token: str, state: str = "gone") -> None:
        """Take jobs that are over out of Redis."""
        try:
            for job in jobs:
                ended, queue = [Outcome(job.id, token, state, 0)], self.conf.queues[job.queue]
                await redis_client.arun(scripts.finish(queue, ended, wake=self.stopping.is_set()))
        except redis_client.Unavailable as exc:
            logger.warning("Redis is away (%s): %d entries stay until their leases end", exc, len(jobs))
        self._free((job.id, token) for job in jobs)

    async def _give_back(self, jobs: list[Claimed], token: str) -> None:
        try:
            for job in jobs:
                await redis_client.arun(scripts.release(job.queue, [(job.id, token)]))
        except redis_client.Unavailable as exc:
            logger.warning("Redis is away (%s): jobs come back when their leases end", exc)
        self._free((job.id, token) for job in jobs)

    def _settled(self, results: Iterable[Result]) -> None:
        self._free((result.run.id, result.run.token) for result in results)

    def _free(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.held.pop(claim, None)
            self.running.forget(claim)
            self._finished += 1
        self._bell.ring()
        if self.conf.recycle and self._finished >= self.conf.recycle:
            self.stopping.set()


def main(identity: Identity) -> None:
    """The process's entry."""
    gc.set_threshold(20_000, 10, 10)  # a job is a dozen objects that die young: look less often
    asyncio.run(Worker(identity).run())
