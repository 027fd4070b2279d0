"""Reconcile the schedule with the record: put every unfinished job that Redis does not know back.

One worker at a time does this. Every heartbeat it checks the jobs of the last two minutes, since a submitter
may have died between its commit and Redis. It checks all unfinished jobs when the last full check is a
minute old, or when Redis lost its data: the key `reconciled` is missing. Until that key exists again no job
is claimed, and the active jobs, the limiters' windows and the pauses are restored first (restore.py), so
that limits hold.

Only jobs that Redis does not know are added, so that checks that are repeated, or that run while jobs move,
change nothing.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from queueing.events import delivery, messages
from queueing.ids import first_id_at
from queueing.limits import live_limits
from queueing.models import Job
from queueing.record import lost_parents
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import as_result
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.states import UNFINISHED, State, sql_condition

from . import patience, restore

logger = logging.getLogger(__name__)

#: Jobs that one query reads.
_PAGE_SIZE = 1000
#: The age up to which every heartbeat checks jobs.
_RECENT_AGE = timedelta(seconds=120)
#: The age from which jobs are checked: their submitter adds younger ones itself. Ids that lie further in the
#: future are checked, too: they come from a host whose clock is ahead, or the clock was set back.
_SETTLE_TIME = timedelta(seconds=2)
#: Seconds between checks of all unfinished jobs.
_FULL_SCAN_INTERVAL = 60.0
#: Milliseconds for which a worker stays the one that reconciles, without renewing it.
_LEADER_TTL_MS = 10_000

_UNFINISHED_AFTER = f"""
SELECT id FROM queueing_job
WHERE id > %s AND (id < %s OR id > %s) AND {sql_condition(UNFINISHED)} AND unfinished_parents = 0
    AND (NOT suspect OR state = 'active')
ORDER BY id LIMIT %s
"""  # noqa: S608 (the states are ours)


async def reconcile(worker: str, database: DatabaseThread) -> int:
    """Reconcile if this worker is the one that does so, and return the number of jobs put back."""
    client = redis_client.aclient()
    leader = scripts.key("reconciler")
    if (
        not await client.set(leader, worker, nx=True, px=_LEADER_TTL_MS)
        and await client.get(leader) != worker
    ):
        return 0
    await client.pexpire(leader, _LEADER_TTL_MS)
    await patience.end_long_waits(database)
    await _settle_lost_parents(database)
    mark = scripts.key("reconciled")
    last = await client.get(mark)
    added = 0
    if last is None:
        added += await restore.restore(worker, database)
    else:
        await live_limits.sync_all_queues(database)
    if 0 <= time.time() - float(last or 0) < _FULL_SCAN_INTERVAL:
        return added + await _put_back_lost(first_id_at(timezone.now() - _RECENT_AGE).hex, database)
    began = time.time()
    added += await _put_back_lost("0" * 32, database)
    await client.set(mark, began, xx=True)  # unless it was lost meanwhile: the next round then checks again
    return added


async def _settle_lost_parents(database: DatabaseThread) -> None:
    """Free or fail the jobs that wait for deleted jobs."""
    settled = await database.run_sync(lost_parents.settle_lost_parents)
    if settled.freed or settled.failed:
        numbers = len(settled.freed), len(settled.failed)
        logger.warning("the parents of jobs were deleted: %d of these run, %d failed", *numbers)
    if settled.freed:
        await asyncio.to_thread(enqueue_all, settled.freed)
    for job in settled.failed:
        if job.owner:
            await delivery.emit(job.owner, messages.terminal_event(as_result(job)))


async def _put_back_lost(after: str, database: DatabaseThread) -> int:
    """Put unfinished jobs with an id above `after` that Redis does not know back, and return their number."""
    added, client = 0, redis_client.aclient()
    while ids := await database.run_sync(unfinished_after, after):
        known = await client.hmget(scripts.key("jobs"), ids)
        if unknown := [job_id for job_id, text in zip(ids, known, strict=True) if text is None]:
            # These may have ended since we read them. An end is recorded before the job is removed from
            # Redis, so a job that is still unfinished now was lost.
            added += await restore.put_back(await database.run_sync(still_unfinished, unknown))
        after = ids[-1]
        await client.pexpire(scripts.key("reconciler"), _LEADER_TTL_MS)
    if added:
        logger.warning("reconciliation put %d jobs back into Redis", added)
    return added


def unfinished_after(after: str) -> list[str]:
    """Return a page of ids (32 hex digits) of unfinished jobs above `after`, in order.

    Plain SQL: there may be many pages, and the ORM would make an object of each id.
    """
    now = timezone.now()
    young = first_id_at(now - _SETTLE_TIME).hex, first_id_at(now + _SETTLE_TIME).hex
    with connection.cursor() as cursor:
        cursor.execute(_UNFINISHED_AFTER, [after, *young, _PAGE_SIZE])
        return [raw if isinstance(raw, str) else raw.hex for (raw,) in cursor.fetchall()]


def still_unfinished(ids: Sequence[str]) -> list[Job]:
    """Return the jobs among `ids` that are unfinished, with the fields that the schedule needs."""
    rows = Job.objects.filter(id__in=ids, state__in=UNFINISHED, unfinished_parents=0)
    rows = rows.filter(Q(suspect=False) | Q(state=State.ACTIVE))  # suspects are in no line
    return list(rows.only(*restore.SCHEDULE_FIELDS))
