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

from django.db import connection
from django.utils import timezone

from queueing.ids import first_id_at
from queueing.limits import live_limits
from queueing.models import Job
from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client, scripts
from queueing.states import UNFINISHED, sql_condition

from . import restore

logger = logging.getLogger(__name__)

_PAGE_SIZE = 1000
_RECENT_AGE = timedelta(seconds=120)
#: Rows younger than this may still be on their submitter's way to Redis.
_SETTLE_TIME = timedelta(seconds=2)
#: Seconds between full looks when nothing calls for one.
_FULL_SCAN_INTERVAL = 60.0
_LEADER_TTL_MS = 10_000

_UNFINISHED_AFTER = f"""
SELECT id FROM queueing_job
WHERE id > %s AND id < %s AND {sql_condition(UNFINISHED)} AND unfinished_parents = 0
ORDER BY id LIMIT %s
"""  # noqa: S608 (the states are ours)


async def reconcile(worker: str, database: DatabaseThread) -> int:
    """Look, if it is this worker's turn; the number of jobs put back."""
    client = redis_client.aclient()
    leader = scripts.key("reconciler")
    if (
        not await client.set(leader, worker, nx=True, px=_LEADER_TTL_MS)
        and await client.get(leader) != worker
    ):
        return 0
    await client.pexpire(leader, _LEADER_TTL_MS)
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
    await client.set(mark, began, xx=True)  # not if it went away meanwhile: then we look again
    return added


async def _put_back_lost(after: str, database: DatabaseThread) -> int:
    """Put back every unfinished job with an id above `after` that Redis does not know."""
    added, client = 0, redis_client.aclient()
    while ids := await database.run_sync(unfinished_after, after):
        known = await client.hmget(scripts.key("jobs"), ids)
        if unknown := [job_id for job_id, text in zip(ids, known, strict=True) if text is None]:
            # They may have ended since we read them. The record hears of an end before Redis forgets
            # the job, so what is still unfinished now was lost.
            added += await restore.put_back(await database.run_sync(still_unfinished, unknown))
        after = ids[-1]
        await client.pexpire(scripts.key("reconciler"), _LEADER_TTL_MS)
    if added:
        logger.warning("reconciliation put %d jobs back into Redis", added)
    return added


def unfinished_after(after: str) -> list[str]:
    """A page of settled unfinished jobs' ids (32 hex digits), in order.

    Plain SQL: a long line is looked through page by page, and the ORM would make an object of each id.
    """
    before = first_id_at(timezone.now() - _SETTLE_TIME).hex
    with connection.cursor() as cursor:
        cursor.execute(_UNFINISHED_AFTER, [after, before, _PAGE_SIZE])
        return [raw if isinstance(raw, str) else raw.hex for (raw,) in cursor.fetchall()]


def still_unfinished(ids: Sequence[str]) -> list[Job]:
    """Those of the jobs that are not over, as the schedule needs them."""
    rows = Job.objects.filter(id__in=ids, state__in=UNFINISHED, unfinished_parents=0)
    return list(rows.only(*restore.SCHEDULE_FIELDS))
