"""Reconciliation: every unfinished row is in Redis' schedule, whatever happened to Redis.

One worker at a time looks, every heartbeat, at the rows of the last two minutes (a submitter may have
died between its commit and Redis), and at all unfinished rows when the last full look is a minute old
or Redis has lost its memory: the mark `reconciled` is gone. While it is gone nothing is claimed; what
runs, the limiters' windows and the pauses are restored first (memory.py), so that limits hold.

Restoring adds only what Redis does not know: looking twice, or while jobs move, changes nothing.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from . import memory, redis, schedule
from .ids import first_id_at
from .models import Job
from .states import UNFINISHED
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
    last = await client.get(mark)
    added = 0
    if last is None:
        added += await memory.restore(worker, database)
    if 0 <= time.time() - float(last or 0) < _FULL:
        return added + await _look(first_id_at(timezone.now() - _RECENT), database)
    began = time.time()
    added += await _look(UUID(int=0), database)
    await client.set(mark, began, xx=True)  # not if it went away meanwhile: then we look again
    return added


async def _look(after: UUID, database: DatabaseThread) -> int:
    """Put back every unfinished job with an id above `after` that Redis does not know."""
    added, client = 0, redis.aclient()
    while ids := await database.call(unfinished_after, after):
        known = await client.hmget(schedule.key("jobs"), [job_id.hex for job_id in ids])
        if unknown := [job_id for job_id, text in zip(ids, known, strict=True) if text is None]:
            # They may have ended since we read them. The record hears of an end before Redis forgets
            # the job, so what is still unfinished now was lost.
            added += await memory.put_back(await database.call(still_unfinished, unknown))
        after = ids[-1]
        await client.pexpire(schedule.key("reconciler"), _LEADER_MS)
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
    return list(rows.only(*memory.NEEDED))
