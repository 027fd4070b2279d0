"""Give back jobs whose lease expired because their worker was lost. The record first, then Redis."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from queueing import texts
from queueing.conf import DJANGO_Q_QUEUE, EngineConf, QueueDef
from queueing.events import delivery, messages
from queueing.kinds import why_unable
from queueing.models import FailedAttempt, Job
from queueing.record.attempts import end
from queueing.record.database_thread import DatabaseThread
from queueing.record.outage import is_outage
from queueing.record.run import Result, as_result, as_run
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.schedule.scripts import Lease, Outcome
from queueing.states import UNFINISHED, State

from . import suspects
from .suspects import NO_DEATHS_KNOWN, Deaths

logger = logging.getLogger(__name__)


#: Heartbeats for which a lease must have been seen without renewal.
_HEARTBEATS_UNCHANGED = 1.5


class StalledJobs:
    """The jobs whose worker is lost: their lease has expired, and was seen for a while without a renewal.

    An expired lease alone proves nothing. After the clock of Redis was set forward, or after it was
    unavailable for longer than a lease, all leases have expired. Living workers then renew theirs within a
    heartbeat.
    """

    def __init__(self, conf: EngineConf, database: DatabaseThread) -> None:
        self._conf = conf
        self._database = database
        self._unchanged_for = _HEARTBEATS_UNCHANGED * conf.heartbeat
        self._seen: dict[str, dict[Lease, float]] = {}
        """Queue -> lease that was not renewed lately -> when it was first seen, by `time.monotonic()`."""

    async def recover(self) -> None:
        """Give back every job whose worker is lost, and fail those that stalled too often."""
        lost: dict[str, list[tuple[str, str]]] = {}
        for queue in self._conf.queues.values():
            # A lease that misses its renewals is observed before it expires, so recovery takes no longer.
            early = self._conf.lease - self._unchanged_for
            now, leases = await redis_client.arun(scripts.ending_leases(queue.name, within=early))
            lasting = self._unchanged(queue.name, leases)
            if claims := [(lease.id, lease.token) for lease in lasting if lease.ends <= now]:
                lost[queue.name] = claims
        if lost:
            tokens = {token for claims in lost.values() for _, token in claims}
            deaths = await suspects.find_deaths(tokens)
            for name, claims in lost.items():
                await _give_back(self._conf.queues[name], claims, deaths, self._database)

    def _unchanged(self, queue: str, leases: Sequence[Lease]) -> list[Lease]:
        """Return those of the leases that were seen some time ago, and not renewed since."""
        now, before = time.monotonic(), self._seen.get(queue, {})
        self._seen[queue] = {lease: before.get(lease, now) for lease in leases}
        return [lease for lease, since in self._seen[queue].items() if now - since >= self._unchanged_for]


async def _give_back(
    queue: QueueDef, claims: list[tuple[str, str]], deaths: Deaths, database: DatabaseThread
) -> None:
    """End the claims. Suspects and finished jobs leave the schedule, all others go back in line."""
    if queue.name == DJANGO_Q_QUEUE:
        gone = await suspects.record_lost_tasks(claims, deaths)
    else:
        logger.warning("%s: %d jobs lost their worker", queue.name, len(claims))
        said = await _texts_of([job_id for job_id, _ in claims])
        gone = await database.run_sync(record_stalls, queue, claims, said, deaths)
    if back := [claim for claim in claims if claim[0] not in set(gone)]:
        await redis_client.arun(scripts.release(queue.name, back, expired=True))
    if gone:
        ended = [Outcome(job_id, token, "gone", 0) for job_id, token in claims if job_id in set(gone)]
        await redis_client.arun(scripts.finish(queue, ended, wake=True))
    if queue.name != DJANGO_Q_QUEUE:
        for owner, event in await database.run_sync(stall_events, claims):
            await delivery.emit(owner, event)


async def _texts_of(ids: Sequence[str]) -> dict[str, str]:
    """Return the texts that jobs have streamed, as far as Redis has them."""
    stored: list[Any] = await redis_client.aclient().mget([scripts.stream_key(job_id) for job_id in ids])
    texts = {job_id: scripts.parse_stream(text)[1] for job_id, text in zip(ids, stored, strict=True)}
    return {job_id: text for job_id, text in texts.items() if text}


def record_stalls(
    queue: QueueDef,
    claims: Sequence[tuple[str, str]],
    said: Mapping[str, str] = MappingProxyType({}),
    deaths: Deaths = NO_DEATHS_KNOWN,
) -> list[str]:
    """Record that the workers of these claims died, and return the ids of jobs that leave the schedule.

    These are suspects from now on, or finished. `said` has the texts that they streamed, by job id; they stay
    with the jobs until another run says more. A row that is not active under the token is left alone: its
    worker recorded the outcome, but had not updated Redis yet. Only a process that can do a job fails it, so
    that its `on_end` runs.
    """
    # All at once: the leases of the others may expire a moment later, when these here are gone already.
    beside = Job.objects.filter(id__in=deaths.jobs_beside(token for _, token in claims), state=State.ACTIVE)
    beside.update(suspect=True)
    for job_id, token in claims:
        try:
            with transaction.atomic():
                job = Job.objects.filter(id=job_id, token=token, state=State.ACTIVE).first()
                if job is not None:
                    job.text = said.get(job_id, job.text)
                    _record_stall(job, queue, deaths)
        except Exception as exc:
            if is_outage(exc):
                raise
            logger.exception("the loss of job %s was not recorded; this is tried again", job_id)
    ids = [job_id for job_id, _ in claims]
    in_line = Job.objects.filter(id__in=ids, state__in=UNFINISHED, suspect=False).values_list("id", flat=True)
    return sorted(set(ids) - {job_id.hex for job_id in in_line})


def _record_stall(job: Job, queue: QueueDef, deaths: Deaths) -> None:
    """Give an active job back, as a suspect if its worker died; fail it if too many died with it alone."""
    dead, number = deaths.is_dead(job.token), deaths.number_of_jobs(job.token)
    alone = dead and (scripts.is_alone(job.token) or (number == 1 and not job.suspect))
    too_often = alone and job.stalls >= queue.max_stalled
    if too_often and not why_unable(job.kind, job.kind_version, tuple(job.args)):
        _give_up(job)
        return
    won = Job.objects.filter(id=job.id, token=job.token, state=State.ACTIVE).update(
        state=State.WAITING,
        suspect=dead,
        stalls=F("stalls") + int(alone),
        attempts=F("attempts") - 1,
        text=job.text,
    )
    if won:
        _keep_attempt(job, texts.worker_died(1 if alone else number) if dead else texts.WORKER_LOST)


def stall_events(claims: Sequence[tuple[str, str]]) -> list[tuple[str, messages.Event]]:
    """Return (owner, event) for each job that starts again, or that failed because it stalled too often."""
    found = []
    for job in Job.objects.filter(id__in=[job_id for job_id, _ in claims]).exclude(owner=""):
        if job.state == State.FAILED and job.error_code == "stalled":
            found.append((job.owner, messages.terminal_event(as_result(job))))
        elif job.state == State.WAITING:
            event = messages.retrying_event(
                as_run(job), attempt=job.attempts, delay=0.0, reason=texts.WORKER_LOST, code="stalled"
            )
            found.append((job.owner, event))
    return found


def _keep_attempt(job: Job, error: str) -> None:
    FailedAttempt.objects.create(
        job=job,
        number=job.attempts,
        outcome="stalled",
        started_at=job.started_at,
        ended_at=timezone.now(),
        worker=job.token,
        code="stalled",
        error=error,
    )


def _give_up(job: Job) -> None:
    """Fail a job that stalled too often: something about it kills workers."""
    result = Result(
        run=as_run(job),
        state=State.FAILED,
        outcome="stalled",
        code="stalled",
        error=texts.UNEXPECTED,
        text=job.text,
        detail="More workers died while they ran this job alone than max_stalled allows.",
        ended_at=timezone.now(),
    )
    recorded = end([result])
    if recorded.broken:
        logger.error("on_end of job %s raised; it fails without", job.id.hex, exc_info=recorded.broken[0][1])
        recorded = end([replace(result, hook=False)])
    transaction.on_commit(lambda: enqueue_all(recorded.freed))
