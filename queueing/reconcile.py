"""Reconciliation: every unfinished row is in Redis' schedule, whatever happened to Redis.

One worker at a time looks, every heartbeat, at the rows of the last two minutes (a submitter may have
died between its commit and Redis), and at all unfinished rows when Redis has lost its memory (the mark
we leave there is gone) or the last full look is a minute old. Restoring adds only what Redis does not
know, so looking twice, or while jobs move, changes nothing.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from . import redis, schedule
from .conf import get_conf
from .errors import UnknownKind
from .ids import first_id_at
from .kinds import get_kind
from .models import Job
from .run import Run
from .states import UNFINISHED, State
from .submit import entry
from .threads import DatabaseThread

logger = logging.getLogger(__name__)

_PAGE = 1000
_RECENT = timedelta(seconds=120)
#: Rows younger than this may still be on their submitter's way to Redis.
_SETTLED = timedelta(seconds=2)
#: Seconds between full looks when nothing calls for one.
_FULL = 60.0
_LEADER_MS = 10_000


async def reconcile(worker: str, database: DatabaseThread) -> int:
    """Look, if it is this worker's turn; the number of jobs put back."""
    client = redis.aclient()
    leader = schedule.key("reconciler")
    if not await client.set(leader, worker, nx=True, px=_LEADER_MS) and await client.get(leader) != worker:
        return 0
    await client.pexpire(leader, _LEADER_MS)
    mark = schedule.key("reconciled")
    last = float(await client.get(mark) or 0)
    full = not 0 <= time.time() - last < _FULL
    if full:
        # Marked before the look: a Redis lost during it takes the mark along, and we look again.
        await client.set(mark, time.time())
    added = 0
    after = UUID(int=0) if full else first_id_at(timezone.now() - _RECENT)
    while ids := await database.call(unfinished_after, after):
        known = await client.hmget(schedule.key("jobs"), [job_id.hex for job_id in ids])
        if unknown := [job_id for job_id, entry_text in zip(ids, known, strict=True) if entry_text is None]:
            # They may have ended since we read them. The record hears of an end before Redis forgets
            # the job, so what is still unfinished now was lost.
            added += await _restore(await database.call(still_unfinished, unknown))
        after = ids[-1]
        await client.pexpire(leader, _LEADER_MS)
    if added:
        logger.warning("reconciliation put %d jobs back into Redis", added)
    return added


def unfinished_after(after: UUID) -> list[UUID]:
    """A page of settled unfinished jobs' ids, in order."""
    before = first_id_at(timezone.now() - _SETTLED)
    rows = Job.objects.filter(id__gt=after, id__lt=before, state__in=UNFINISHED, pending=0)
    return list(rows.order_by("id").values_list("id", flat=True)[:_PAGE])


def still_unfinished(ids: Sequence[UUID]) -> list[Job]:
    """Those of the jobs that are not over, as the schedule needs them."""
    rows = Job.objects.filter(id__in=ids, state__in=UNFINISHED, pending=0)
    return list(rows.only("id", "queue", "owner", "priority", "state", "token", "run_at"))


async def _restore(rows: Sequence[Job]) -> int:
    added = 0
    for queue, mine in _by_queue(rows):
        active = [job for job in mine if job.state == State.ACTIVE]
        idle = [job for job in mine if job.state != State.ACTIVE]
        if idle:
            added += await redis.arun(schedule.submit(queue, [entry(job) for job in idle]))
        if active:
            claims = [(job.id.hex, job.owner, job.priority, job.token) for job in active]
            added += await redis.arun(schedule.adopt(queue, claims))
    return added


def _by_queue(rows: Sequence[Job]) -> Iterator[tuple[str, list[Job]]]:
    known = get_conf().queues
    for queue in sorted({job.queue for job in rows}):
        if queue in known:  # a queue that was taken out of the settings keeps its rows
            yield queue, [job for job in rows if job.queue == queue]


def not_ours(claims: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of these (id, token), those that the record does not have as active."""
    rows = Job.objects.filter(id__in=[job_id for job_id, _ in claims], state=State.ACTIVE)
    held = {(job_id.hex, token) for job_id, token in rows.values_list("id", "token")}
    return [claim for claim in claims if claim not in held]


def as_run(job: Job) -> Run:
    """The run that an active row's claim stands for."""
    try:
        kind = get_kind(job.kind)
    except UnknownKind:
        kind = None
    return Run(
        id=job.id.hex,
        kind=kind,
        kind_name=job.kind,
        queue=job.queue,
        owner=job.owner,
        request_id=job.request_id,
        args=job.args,
        meta=job.meta,
        token=job.token,
        number=job.runs,
        attempt=job.attempts,
        max_attempts=job.max_attempts,
        priority=job.priority,
        created_at=job.created_at,
        started_at=job.started_at or job.created_at,
    )
