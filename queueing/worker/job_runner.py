"""From a claim to the result: begins claimed jobs, runs their handlers, and passes their results on."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from django.db import Error as DatabaseError

from queueing import tracing
from queueing.conf import get_conf
from queueing.events import delivery
from queueing.events.messages import terminal_event
from queueing.record import attempts, not_started
from queueing.record.availability import Availability
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result, Run, as_result
from queueing.schedule.scripts import Claimed
from queueing.states import State
from queueing.values.log_lines import log_ids

from . import returns
from .background import Background
from .liveness import blocked_loop
from .results.result_writer import ResultWriter
from .runs import executor, outcomes
from .runs.active_runs import ActiveRun, ActiveRuns, Claim, Stop
from .runs.job_threads import JobThreads, task_of
from .runs.output_sender import OutputSender
from .runs.run_output import RunOutput

logger = logging.getLogger(__name__)

#: Seconds until jobs are given back that the database did not begin.
_RETRY_DELAY = 1.0


class JobRunner:
    """The runs of one worker. `free` gets the claims that have ended without a result."""

    def __init__(
        self,
        database: DatabaseThread,
        availability: Availability,
        threads: JobThreads,
        writer: ResultWriter,
        background: Background,
        stopping: asyncio.Event,
        free: Callable[[Iterable[Claim]], None],
    ) -> None:
        self._conf = get_conf()
        self._database = database
        self._availability = availability
        self._threads = threads
        self._writer = writer
        self._background = background
        self._stopping = stopping
        self._free = free
        self.active_runs = ActiveRuns(self._conf, self._on_abandoned)

    async def begin(self, jobs: Sequence[Claimed], token: str, claimed: float) -> None:
        """Record the start of claimed jobs, and run them. `claimed` is a time of the monotonic clock."""
        try:
            runs = await self._database.run_sync(attempts.begin, jobs, token, claimed)
        except DatabaseError as exc:
            if not await self._availability.refuses_all(exc, jobs[0].id):
                logger.error("%d jobs were not begun (%s); giving them back", len(jobs), exc)
                await asyncio.sleep(_RETRY_DELAY)
            await self.give_back(jobs, token)
            return
        begun = {run.id for run in runs}
        sender = OutputSender.for_running_loop()
        for run in runs:
            self._start(run, token, sender)
        if gone := [job for job in jobs if job.id not in begun]:
            await self._end_gone(gone, token)

    async def _end_gone(self, jobs: Sequence[Claimed], token: str) -> None:
        """End the claims of jobs that have ended before, and the jobs that were not begun in time."""
        try:
            expired = await self._database.run_sync(not_started.end_expired, [job.id for job in jobs])
        except DatabaseError as exc:
            logger.warning("expired jobs are ended later: the database is unavailable (%s)", exc)
            expired = not_started.Expired([], [])
        await returns.park(expired.unable, token)
        parked = {job.id.hex for job in expired.unable}
        ended = [job for job in jobs if job.id not in parked]
        await returns.finish(ended, token, wake=self._stopping.is_set())
        self._free((job.id, token) for job in jobs)
        await delivery.emit_many([(job.owner, terminal_event(as_result(job))) for job in expired.ended])

    def _start(self, run: Run, token: str, sender: OutputSender) -> None:
        if unable := outcomes.unable(run):
            self._writer.put(unable)
            return
        output = RunOutput(run, sender, self._report_answer if run.watched else None)
        claim = run.id, token
        # Not in the background: the callback there costs a loop iteration.
        self.active_runs.add(claim, task_of(claim, self._run(run, output)), output)

    async def give_back(self, jobs: Sequence[Claimed], token: str) -> None:
        """Put claimed jobs back in line."""
        await returns.give_back(jobs, token)
        self._free((job.id, token) for job in jobs)

    def _report_answer(self, run: Run) -> None:
        self._background.spawn(self._writer.providers.report_answer(run))

    async def _run(self, run: Run, output: RunOutput) -> None:
        # All in one coroutine: a GeneratorExit of the handler would close an inner one.
        with log_ids(job=run.id, kind=run.kind_name, request=run.request_id, owner=run.owner):
            if run.owner:
                self._background.spawn(output.send_started())
            try:
                result = await executor.execute(run, output.context, self._threads)
            except asyncio.CancelledError:
                result = None
            except GeneratorExit as exc:
                result = outcomes.failed(run, exc)
            if not (active := self.active_runs.has_left((run.id, run.token))):
                return
            if run.owner or output.context.text:
                await output.flush()
            self._put(active, result)

    def _put(self, active: ActiveRun, result: Result | None) -> None:
        """Pass on the result of a run, or that of the reason for which it was stopped; None if cancelled."""
        output, run = active.output, active.output.run
        output.close()
        if active.stop:
            timeout_at = (run.began or 0.0) + run.timeout
            self._threads.stopped((run.id, run.token), run.kind_name, timeout_at=timeout_at)
        if active.stop is Stop.DROPPED:
            self._free([(run.id, run.token)])
            return
        if active.stop and not (result and result.state == State.COMPLETED):
            result = outcomes.timed_out(run) if active.stop is Stop.TIMED_OUT else outcomes.released(run)
        result = result or outcomes.cancelled_itself(run)
        result.text = output.context.text
        result.first_text = output.first_text
        result.lines = output.log_lines
        result.asked_provider = output.context.asked_provider
        tracing.ended(result)
        self._writer.put(result)

    def _on_abandoned(self, active: ActiveRun) -> None:
        self._put(active, None)

    def on_lost(self, claims: list[Claim]) -> None:
        """Stop the runs whose claims Redis refused, unless the record has them."""
        self._background.spawn(self._drop_stale(claims))

    async def _drop_stale(self, claims: list[Claim]) -> None:
        """Drop claims that were taken over or cancelled, but not those of a Redis that lost its data."""
        try:
            self.active_runs.drop(await self._database.run_sync(attempts.stale_claims, claims))
        except DatabaseError as exc:
            logger.warning("lost claims were not checked: the database is unavailable (%s)", exc)

    def give_up(self, blocker: Claim | None, stack: str) -> NoReturn:
        """End this process, whose loop is blocked. If the blocker is not known, its jobs become suspects."""
        if blocker is None or not self.active_runs.kind_of(blocker):
            os._exit(1)
        blocked_loop.leave(self.active_runs.all(), self._writer.waiting, self._database, blocker, stack)
