"""Reconcile the schedule with the record: put every unfinished job that Redis does not know back.

One worker at a time does this. Every heartbeat it checks the jobs of the last two minutes, since a submitter
may have died between its commit and Redis. It checks all unfinished jobs and the counters

- every heartbeat, or as rarely as the checks need to take a hundredth of the time, at least every minute;
- when another server holds the schedule, which may lack the last writes of the one before (a failover);
- when Redis lost its data: the key `reconciled` is missing. Until that key exists again no job is claimed,
  and the active jobs, the limiters' windows and the pauses are restored first (restore.py), so that limits
  hold.

A job counts as known only with its place: a single key can be lost, too (schedule/lua/repair.lua). Only jobs
that Redis does not know are added, so that checks that are repeated, or that run while jobs move, change
nothing.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import ResponseError

from queueing.conf import DJANGO_Q_QUEUE, get_conf
from queueing.events import delivery, messages
from queueing.limits import live_limits, weights
from queueing.models import Job
from queueing.record import lost_parents, not_started
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import as_result
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import enqueue_all
from queueing.states import UNFINISHED, State, sql_condition
from queueing.values.ids import first_id_at

from . import patience, restore
from .forget import forget

logger = logging.getLogger(__name__)

#: Jobs that one query reads.
_PAGE_SIZE = 1000
#: The age up to which every heartbeat checks jobs.
_RECENT_AGE = timedelta(seconds=120)
#: The age from which jobs are checked: their submitter adds younger ones itself. Ids that lie further in the
#: future are checked, too: they come from a host whose clock is ahead, or the clock was set back.
_SETTLE_TIME = timedelta(seconds=2)
#: Maximum seconds between checks of all unfinished jobs, and how many times as long as a check they are.
_FULL_CHECK_INTERVAL, _FULL_CHECK_SHARE = 60.0, 100
#: Milliseconds for which a worker stays the one that reconciles, without renewing it.
_LEADER_TTL_MS = 10_000

_UNFINISHED_AFTER = f"""
SELECT id, queue FROM queueing_job
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
    await _end_expired(database)
    await _settle_lost_parents(database)
    mark = scripts.key("reconciled")
    last = await client.get(mark)
    added = 0
    if last is None:
        added += await restore.restore(worker, database)
    else:
        await live_limits.sync_all_queues(database)
    if last is not None and not await _full_check_is_due():
        return added + await _put_back_lost(first_id_at(timezone.now() - _RECENT_AGE).hex, database)
    began, started = time.time(), time.monotonic()
    await client.set(scripts.key("checked"), 1, px=round(_FULL_CHECK_INTERVAL * 1000))
    added += await _put_back_lost("0" * 32, database, everything=True)
    await restore.restore_lost_starts(database)
    await weights.sync_all(database)
    interval = min(_FULL_CHECK_INTERVAL, _FULL_CHECK_SHARE * (time.monotonic() - started))
    await client.set(scripts.key("checked"), 1, px=max(1, round(interval * 1000)))
    await client.set(mark, began, xx=True)  # unless it was lost meanwhile: the next round then checks again
    return added


async def leads(worker: str) -> bool:
    """Return whether this worker is the one that reconciles, or none is."""
    return await redis_client.aclient().get(scripts.key("reconciler")) in (worker, None)


async def _end_expired(database: DatabaseThread) -> None:
    """End the jobs that did not start before their deadline. Workers end only those that they claim."""
    if ended := await database.run_sync(not_started.sweep_expired):
        logger.warning("%d jobs were not started before their deadline", len(ended))
        await forget(ended)


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


async def _full_check_is_due() -> bool:
    """Return whether it is time for a full check, or another server holds the schedule."""
    client = redis_client.aclient()
    with suppress(ResponseError):  # a managed Redis may not allow it
        run_id = (await client.info("server")).get("run_id", "")
        if await client.set(scripts.key("server"), run_id, get=True) != run_id:
            return True
    return not await client.exists(scripts.key("checked"))


async def _put_back_lost(after: str, database: DatabaseThread, *, everything: bool = False) -> int:
    """Put unfinished jobs with an id above `after` that Redis does not know back, and return their number.

    With `everything`, check also the tasks of Django-Q2 and the counters.
    """
    added, client = 0, redis_client.aclient()
    miscounted: set[str] = set()
    while rows := await database.run_sync(unfinished_after, after):
        unknown: list[str] = []
        for queue, ids in _by_queue(rows).items():
            found = await redis_client.arun(scripts.repair(queue, ids))
            unknown += found.unknown
            miscounted |= {queue} if found.miscounted else set()
        if unknown:
            # These may have ended since we read them. An end is recorded before the job is removed from
            # Redis, so a job that is still unfinished now was lost.
            added += await restore.put_back(await database.run_sync(still_unfinished, unknown))
        after = rows[-1][0]
        await client.pexpire(scripts.key("reconciler"), _LEADER_TTL_MS)
    if added:
        logger.warning("reconciliation put %d jobs back into Redis", added)
    if everything:
        await _put_back_packages()
    for queue in get_conf().queues if everything else miscounted:
        if wrong := await redis_client.arun(scripts.recount(queue, everything=queue in miscounted)):
            logger.warning("%s: %d counters were wrong and are corrected", queue, wrong)
    return added


def _by_queue(rows: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the ids of each queue in the settings. The rows of other queues are kept."""
    found: dict[str, list[str]] = defaultdict(list)
    for job_id, queue in rows:
        if queue in get_conf().queues:
            found[queue].append(job_id)
    return found


async def _put_back_packages() -> None:
    """Put tasks of Django-Q2 back in line whose place was lost. Their packages are their record."""
    client = redis_client.aclient()
    not_in_line = set(await client.hkeys(scripts.key("suspects")))
    if ids := [i for i in await client.hkeys(scripts.key("packages")) if i not in not_in_line]:
        queue = get_conf().queues[DJANGO_Q_QUEUE]
        found = await redis_client.arun(scripts.repair(queue.name, ids))
        entries = [scripts.ScheduleEntry(task_id, "", queue.priority) for task_id in found.unknown]
        await redis_client.arun(scripts.submit(queue.name, entries))


def unfinished_after(after: str) -> list[tuple[str, str]]:
    """Return a page of (id, queue) of unfinished jobs with an id (32 hex digits) above `after`, in order.

    Plain SQL: there may be many pages, and the ORM would make an object of each id.
    """
    now = timezone.now()
    young = first_id_at(now - _SETTLE_TIME).hex, first_id_at(now + _SETTLE_TIME).hex
    with connection.cursor() as cursor:
        cursor.execute(_UNFINISHED_AFTER, [after, *young, _PAGE_SIZE])
        return [(raw if isinstance(raw, str) else raw.hex, queue) for raw, queue in cursor.fetchall()]


def still_unfinished(ids: Sequence[str]) -> list[Job]:
    """Return the jobs among `ids` that are unfinished, with the fields that the schedule needs."""
    rows = Job.objects.filter(id__in=ids, state__in=UNFINISHED, unfinished_parents=0)
    rows = rows.filter(Q(suspect=False) | Q(state=State.ACTIVE))  # suspects are in no line
    return list(rows.only(*restore.SCHEDULE_FIELDS))
