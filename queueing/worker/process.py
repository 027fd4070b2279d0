"""The worker process: claims jobs, runs hundreds at once on one event loop, writes results in batches.

    notifier (pub/sub) ─▶ claim ─▶ attempts.begin ─▶ a task per job ─▶ result writer ─▶ database, Redis, owner
                            ▲                                              │
                            └────────────────── free slots ────────────────┘

It shares no lock with any other process, so any of them may be killed at any moment.
"""

import asyncio
import faulthandler
import logging
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from asgiref.sync import ThreadSensitiveContext

from queueing import tracing
from queueing.conf import DJANGO_Q_QUEUE, get_conf
from queueing.monitoring.counters import WorkerCounters
from queueing.record.availability import Availability
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result
from queueing.record.threads import TidyThreads
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.outage_log import redis_outage
from queueing.schedule.scripts import Claimed

from . import stop_signals
from .abilities import Abilities
from .background import Background
from .django_q.packages import Packages
from .job_runner import JobRunner
from .liveness.identity import Identity
from .liveness.lease_keeper import LeaseKeeper
from .liveness.loop_watch import LoopWatch
from .maintenance import Maintenance
from .notifier import Notifier
from .results.result_writer import ResultWriter
from .runs.active_runs import Claim, cancel_all
from .runs.job_threads import JobThreads

logger = logging.getLogger(__name__)

#: Seconds between attempts while Redis or the database is unavailable.
_RETRY_DELAY = 1.0
#: Threads for what handlers and the engine do off the event loop.
_SHARED_THREADS = 32
#: Seconds after the grace time at which a worker that has not stopped logs its stack.
_DUMP_STACK_AFTER = 5


class Worker:
    """One worker process."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.conf = get_conf()
        self._queues = sorted((self.conf.queues[q] for q in identity.queues), key=lambda q: q.priority)
        self.slots = self.conf.slots or sum(q.concurrency for q in self._queues)
        self.claims: dict[Claim, str] = {}
        """The claims that this worker holds: (id, token) -> queue."""
        self.stopping = asyncio.Event()
        self.abilities = Abilities(identity.queues)
        self.counters = WorkerCounters(identity.id)
        self._claim_number = 0
        self._finished = 0
        self._database = DatabaseThread()
        self._threads = JobThreads(lambda: self._notifier.notify())
        self._availability = Availability(self._database)
        self._writer = ResultWriter(
            self._database,
            self.counters,
            self._threads,
            self._on_settled,
            self.stopping,
            self._availability,
        )
        self._background = Background()
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
        self._maintenance = Maintenance(self, self._database)
        self._notifier = Notifier(
            scripts.worker_channel(identity.id),
            self.active_runs,
            on_job=self._on_job,
            on_limits=self._maintenance.run_soon,
            on_needs=lambda: self._background.spawn(self.look_for_parked_jobs()),
            on_quiet=lambda: self._background.spawn(self.follow_operator()),
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
        stop_signals.watch(self.stopping, self.set_quiet)
        stop_signals.watch_supervisor(
            self.identity.supervisor_pipe, self.stopping, self.identity.become_orphan
        )
        self._watch = LoopWatch(
            self.identity.beat, lambda: bool(self.claims), self._kind_of, self._jobs.give_up
        )
        self._leases = LeaseKeeper(self.claims, self._heartbeat, self._jobs.on_lost)
        parts = (
            self._notifier.run(),
            self._writer.run(),
            self._maintenance.run(),
            self.active_runs.enforce_timeouts(),
        )
        always = [self._background.spawn(part) for part in parts]
        claiming = self._background.spawn(self._claim_forever())
        broken = await self._until_stopped([*always, claiming])
        # The supervisor kills a worker soon after its grace time: log what it was doing.
        faulthandler.dump_traceback_later(self.conf.grace + _DUMP_STACK_AFTER)
        await cancel_all([claiming])
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

    async def _claim_forever(self) -> None:
        while True:
            await self._availability.wait()  # no job could begin
            self._notifier.clear()
            try:
                again_in = await self._claim_once()
            except redis_client.Unavailable as exc:
                redis_outage.failed(exc)
                await asyncio.sleep(_RETRY_DELAY)
                continue
            if again_in != 0:
                await self._notifier.wait(again_in)

    async def _claim_once(self) -> float | None:
        """Claim and start jobs. Return the seconds after which there may be more; None if unknown."""
        if self.identity.is_quiet:
            await presence.leave_idle(self._notifier.own_channel)
            return None
        # A function that runs on after its job was cancelled keeps a slot of the worker.
        left_behind = [claim for claim in self._threads.running_on() if claim not in self.claims]
        free = self.slots - len(self.claims) - len(left_behind)
        if free <= 0:
            return None
        self._claim_number += 1
        token, claimed = f"{self.identity.id}/{self._claim_number}", time.monotonic()
        channel, idle, able = self._notifier.own_channel, not self.claims, self.abilities.digests
        terms = scripts.claim(self._queues, token, free, channel=channel, idle=idle, able=able)
        found = await redis_client.arun(terms)
        self._start(found.jobs, token, claimed)
        # There may be more if it was full; fewer jobs were all, and claiming again would delay them.
        return 0.0 if len(found.jobs) == min(free, scripts.MAX_CLAIM_SIZE) else found.again_in

    def _heartbeat(self) -> dict[str, Any]:
        needs = [digest for digests in self.abilities.digests.values() for digest in digests]
        beat = self.identity.heartbeat(
            active=len(self.claims), slots=self.slots, needs=needs, listens=self._notifier.listens
        )
        return beat | {"runningOn": Counter(self._threads.running_on().values())} | self._watch.figures()

    def _kind_of(self, claim: Claim) -> str:
        return self.active_runs.kind_of(claim) or f"a task of {self.claims.get(claim, 'a finished job')}"

    def leave_if_hung(self) -> None:
        """Ask for a replacement, and stop, when plain functions have not ended: the process ends them."""
        if (hung := self._threads.hung()) and not self.stopping.is_set():
            names = ", ".join(f"{number} of {kind}" for kind, number in hung.items())
            logger.critical("plain functions run on long after their runs were stopped (%s): leaving", names)
            self.identity.ask_for_replacement()
            self.stopping.set()

    def resize(self, slots: int) -> None:
        """Set how many jobs this worker may run at once."""
        if slots != self.slots:
            self.slots = slots
            self._notifier.notify()

    def set_quiet(self, is_quiet: bool) -> None:
        """Claim no jobs until this is called with False. Active jobs continue."""
        if is_quiet != self.identity.is_quiet:
            self.identity.is_quiet = is_quiet
            logger.warning("worker %s %s", self.identity.id, "is quiet" if is_quiet else "claims jobs again")
            self._notifier.notify()

    async def follow_operator(self) -> None:
        """Be quiet, or not any more, if an operator has asked for it."""
        with suppress(*redis_client.Unavailable):  # the next heartbeat looks again
            wish = await presence.take_quiet(self.identity.id)
            self.set_quiet(self.identity.is_quiet if wish is None else wish)

    async def look_for_parked_jobs(self) -> None:
        """Claim jobs that other workers could not do, if this one can."""
        with suppress(*redis_client.Unavailable):  # the next heartbeat looks again
            await self.abilities.refresh()
            if self.abilities.digests:
                self._notifier.notify()

    def _on_job(self, token: str, queue: str, job_id: str, at: int, limited: bool) -> None:
        """Take a job that was claimed for this idle worker at `at` (ms since 1970, by the clock of Redis)."""
        job = Claimed(job_id, queue, 0.0, limited)
        if self.stopping.is_set() or self.identity.is_quiet:
            self._background.spawn(self._jobs.give_back([job], token))
        else:
            self._start([job], token, time.monotonic() - self._leases.redis_clock.age(at / 1000))

    def _start(self, jobs: list[Claimed], token: str, claimed: float) -> None:
        self._watch.wake()
        for job in jobs:
            self.claims[job.id, token] = job.queue
            if job.queue == DJANGO_Q_QUEUE:
                self._packages.start(job, token)
        if ours := [job for job in jobs if job.queue != DJANGO_Q_QUEUE]:
            self._background.spawn(self._jobs.begin(ours, token, claimed))

    def _on_settled(self, results: Iterable[Result]) -> None:
        self._free((result.run.id, result.run.token) for result in results)

    def _free(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.claims.pop(claim, None)
            self.active_runs.remove(claim)
            self._finished += 1
        self._notifier.notify()
        if self.conf.recycle and self._finished >= self.conf.recycle:
            self.stopping.set()
