"""Jobs whose worker was lost: their lease ran out. The record first, then Redis."""

import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from queueing.conf import DJANGO_Q_QUEUE, EngineConf, QueueDef
from queueing.events import messages
from queueing.models import FailedAttempt, Job
from queueing.record.attempts import end
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import UNEXPECTED, Result, as_run
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.schedule.scripts import Outcome
from queueing.states import UNFINISHED, State

logger = logging.getLogger(__name__)

WORKER_LOST = "The worker was lost."


async def recover(conf: EngineConf, database: DatabaseThread) -> None:
    """Give back every job past its lease; those that stalled too often fail."""
    for queue in conf.queues.values():
        claims = await redis_client.arun(scripts.expired(queue.name))
        if not claims:
            continue
        over: list[str] = []
        if queue.name != DJANGO_Q_QUEUE:
            logger.warning("%s: %d jobs lost their worker", queue.name, len(claims))
            over = await database.run_sync(record_stalls, queue, claims)
        back = [claim for claim in claims if claim[0] not in set(over)]
        if back:
            await redis_client.arun(scripts.release(queue.name, back, expired=True))
        if over:
            ended = [Outcome(job_id, token, "gone", 0) for job_id, token in claims if job_id in set(over)]
            await redis_client.arun(scripts.finish(queue, ended, wake=True))
        if queue.name != DJANGO_Q_QUEUE:
            for owner, event in await database.run_sync(stall_events, claims):
                await messages.emit(owner, event)


def record_stalls(queue: QueueDef, claims: Sequence[tuple[str, str]]) -> list[str]:
    """Record that these claims' workers were lost; the ids of jobs that are over.

    A row that is no longer active under the token is left alone: its worker was only slow to tell Redis.
    """
    for job_id, token in claims:
        with transaction.atomic():
            active = Job.objects.filter(id=job_id, token=token, state=State.ACTIVE)
            job = active.first()
            if job is None:
                continue
            if job.stalls >= queue.max_stalled:
                _give_up(job)
            elif active.update(state=State.WAITING, stalls=F("stalls") + 1, attempts=F("attempts") - 1):
                _keep_attempt(job)
    ids = [job_id for job_id, _ in claims]
    alive = Job.objects.filter(id__in=ids, state__in=UNFINISHED).values_list("id", flat=True)
    return sorted(set(ids) - {job_id.hex for job_id in alive})


def stall_events(claims: Sequence[tuple[str, str]]) -> list[tuple[str, messages.Event]]:
    """(owner, event) of those whose owners should know that the answer begins again, or never ends."""
    found = []
    for job in Job.objects.filter(id__in=[job_id for job_id, _ in claims]).exclude(owner=""):
        if job.state == State.FAILED and job.error_code == "stalled":
            found.append((job.owner, messages.ending(job)))
        elif job.state == State.WAITING:
            about = {"queue": job.queue, "attempt": job.attempts, "of": job.max_attempts, "in": 0.0}
            found.append(
                (job.owner, messages.event_of(job, "retrying", **about, reason=WORKER_LOST, code="stalled"))
            )
    return found


def _keep_attempt(job: Job) -> None:
    FailedAttempt.objects.create(
        job=job,
        number=job.attempts,
        outcome="stalled",
        started_at=job.started_at,
        ended_at=timezone.now(),
        worker=job.token,
        code="stalled",
        error=WORKER_LOST,
    )


def _give_up(job: Job) -> None:
    """One stall too many: something about this job kills workers."""
    recorded = end(
        [
            Result(
                run=as_run(job),
                state=State.FAILED,
                outcome="stalled",
                code="stalled",
                error=UNEXPECTED,
                detail="job stalled more than allowable limit",
                ended_at=timezone.now(),
            )
        ]
    )
    transaction.on_commit(lambda: enqueue_all(recorded.freed))
