"""The worker process: claims jobs, runs hundreds at once on one event loop, writes results in batches.

    notifier (pub/sub) ─▶ claimer ─▶ begin ─▶ a task per job ─▶ result writer ─▶ database, Redis, owner
                             ▲                                        │
                             └────────────── free slots ──────────────┘

It shares no lock with any other process, so any of them may be killed at any moment.
"""

import asyncio
import faulthandler
import logging
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from asgiref.sync import ThreadSensitiveContext

from queueing import tracing
from queueing.conf import DJANGO_Q_QUEUE, get_conf
from queueing.monitoring.counters import WorkerCounters
from queueing.record.availability import Availability
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result
from queueing.record.threads import TidyThreads
from queueing.schedule import redis_client
from queueing.schedule.scripts import Claimed

from . import stop_signals
from .background import Background
from .claimer import Claimer
from .django_q.packages import Packages
from .job_runner import JobRunner
from .liveness.identity import Identity
from .liveness.lease_keeper import LeaseKeeper
from .liveness.loop_watch import LoopWatch
from .maintenance import Maintenance
from .notifier import Notifier
from .prober import SuspectClaimer
from .results.result_writer import ResultWriter
from .runs.active_runs import Claim, cancel_all
from .runs.job_threads import JobThreads
from .tick_timer import TickTimer
from .wake import Wake

logger = logging.getLogger(__name__)

#: Seconds until a worker that was handed a job claims, to be listed again: the job starts first.
_LIST_AGAIN = 0.005
#: Threads for what handlers and the engine do off the event loop.
_SHARED_THREADS = 32
#: Seconds after the grace time at which a worker that has not stopped logs its stack.
_DUMP_STACK_AFTER = 5


class Worker:
    """One worker process."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.conf = get_conf()
        self.stopping = asyncio.Event()
        self.counters = WorkerCounters(identity.id)
        self._database = DatabaseThread()
        self._wake = Wake()
        self._threads = JobThreads(self._wake.notify)
        self._availability = Availability(self._database)
        self._background = Background()
        parts = (identity, self._wake, self._threads, self._availability, self._start)
        self.claimer = (
            SuspectClaimer(*parts, database=self._database, stopping=self.stopping)
            if identity.is_prober
            else Claimer(*parts)
        )
        self._writer = ResultWriter(
            self._database,
            self.counters,
            self._threads,
            self._on_settled,
            self.stopping,
            self._availability,
        )
        self._jobs = JobRunner(
            self._database,
            self._availability,
            self._threads,
            self._writer,
            self._background,
            self.stopping,
            self._free,
        )
        self.active_runs = self._jobs.active_runs
        self._packages = Packages(self._threads, self._database, self._free)
        self._maintenance = Maintenance(self.claimer, self.counters, self._database, self._leave_if_hung)
        self._ticks = TickTimer(identity.id, self._database)
        self._notifier = Notifier(
            self.claimer.channel,
            self._wake,
            self.active_runs,
            on_job=self._on_job,
            on_limits=self._maintenance.run_soon,
            on_needs=lambda: self._background.spawn(self.claimer.look_for_parked_jobs()),
            on_quiet=lambda: self._background.spawn(self.claimer.follow_operator()),
        )

    async def run(self) -> None:
        """Work until asked to stop; then finish runs within the grace time and give the others back."""
        # Handlers that are coroutines use the database on these threads.
        asyncio.get_running_loop().set_default_executor(
            TidyThreads(_SHARED_THREADS, thread_name_prefix="shared")
        )
        async with ThreadSensitiveContext(executor=TidyThreads(1, thread_name_prefix="orm")):
            await self._run_until_stopped()

    async def _run_until_stopped(self) -> None:
        stop_signals.watch(self.stopping, self.claimer.set_quiet)
        stop_signals.watch_supervisor(
            self.identity.supervisor_pipe, self.stopping, self.identity.become_orphan
        )
        self._watch = LoopWatch(
            self.identity.beat, lambda: bool(self.claimer.claims), self._kind_of, self._jobs.give_up
        )
        self._leases = LeaseKeeper(self.claimer.claims, self._heartbeat, self._jobs.on_lost)
        parts = (
            self._notifier.run(),
            self._writer.run(),
            self._maintenance.run(),
            self._ticks.run(),
            self.active_runs.enforce_timeouts(),
        )
        always = [self._background.spawn(part) for part in parts]
        claiming = self._background.spawn(self.claimer.run())
        broken = await self._until_stopped([*always, claiming])
        # The supervisor kills a worker soon after its grace time: log what it was doing.
        faulthandler.dump_traceback_later(self.conf.grace + _DUMP_STACK_AFTER)
        await cancel_all([claiming])
        await self.claimer.leave()
        logger.info("stopping: %d jobs get %g s to finish", len(self.active_runs), self.conf.grace)
        await asyncio.gather(self.active_runs.shut_down(), self._packages.shut_down(self.conf.grace))
        if not broken:
            await self._writer.drain()
            await self._writer.end_held_claims()
        await cancel_all(always)
        await self._leases.stop()
        await redis_client.aclose()  # a cancelled call may have left its connection with half a reply
        await self._maintenance.deregister(self._heartbeat() if self.identity.is_orphan else None)
        self._database.close()
        self._watch.stop()
        await redis_client.aclose()
        faulthandler.cancel_dump_traceback_later()
        tracing.flush()
        if broken:
            raise SystemExit(1)  # 0 is the exit code of a worker that is replaced after its number of jobs

    async def _until_stopped(self, parts: list[asyncio.Task[Any]]) -> bool:
        """Wait until asked to stop; return True if a part of the worker raised instead."""
        asked = self._background.spawn(self.stopping.wait())
        done, _ = await asyncio.wait([asked, *parts], return_when=asyncio.FIRST_COMPLETED)
        self.stopping.set()
        if asked in done:
            return False
        for part in done:
            exc = None if part.cancelled() else part.exception()
            logger.critical("a part of the worker broke; stopping", exc_info=exc)
        return True

    def _heartbeat(self) -> dict[str, Any]:
        needs = [digest for digests in self.claimer.abilities.digests.values() for digest in digests]
        beat = self.identity.heartbeat(
            active=len(self.claimer.claims),
            slots=self.claimer.slots,
            needs=needs,
            listens=self._notifier.listens,
        )
        return beat | {"runningOn": Counter(self._threads.running_on().values())} | self._watch.figures()

    def _kind_of(self, claim: Claim) -> str:
        queue = self.claimer.claims.get(claim, "a finished job")
        return self.active_runs.kind_of(claim) or f"a task of {queue}"

    def _leave_if_hung(self) -> None:
        """Ask for a replacement, and stop, when plain functions have not ended: the process ends them."""
        if (hung := self._threads.hung()) and not self.stopping.is_set():
            names = ", ".join(f"{number} of {kind}" for kind, number in hung.items())
            logger.critical("plain functions run on long after their runs were stopped (%s): leaving", names)
            self.identity.ask_for_replacement()
            self.stopping.set()

    def _on_job(self, token: str, queue: str, job_id: str, at: int, limited: bool) -> None:
        """Take a job that was claimed for this idle worker at `at` (ms since 1970, by the clock of Redis)."""
        job = Claimed(job_id, queue, 0.0, limited)
        if self.stopping.is_set() or self.identity.is_quiet:
            self._background.spawn(self._jobs.give_back([job], token))
        else:
            self.claimer.hold([job], token, time.monotonic() - self._leases.redis_clock.age(at / 1000))
            asyncio.get_running_loop().call_later(_LIST_AGAIN, self._wake.notify)

    def _start(self, jobs: list[Claimed], token: str, claimed: float) -> None:
        self._watch.wake()
        for job in jobs:
            if job.queue == DJANGO_Q_QUEUE:
                self._packages.start(job, token)
        if ours := [job for job in jobs if job.queue != DJANGO_Q_QUEUE]:
            self._background.spawn(self._jobs.begin(ours, token, claimed))

    def _on_settled(self, results: Iterable[Result]) -> None:
        self._free((result.run.id, result.run.token) for result in results)

    def _free(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.active_runs.remove(claim)
            self.claimer.free(claim)
        self._wake.notify()
        if self.conf.recycle and self.claimer.ended >= self.conf.recycle:
            self.stopping.set()
