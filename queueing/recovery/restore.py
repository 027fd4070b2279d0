"""Restore a Redis that lost its data, before any job may be claimed again.

active jobs            under their own tokens with new leases: a living worker renews its leases, those of a
                       dead one expire
the limiters' windows  from the starts on record
the pauses, and the limits and weights that operators changed
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.utils import timezone

from queueing.conf import get_conf
from queueing.limits import live_limits, weights
from queueing.models import FailedAttempt, Job
from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client, scripts
from queueing.schedule.enqueue import schedule_entry
from queueing.states import UNFINISHED, State, sql_condition

logger = logging.getLogger(__name__)

#: Maximum seconds that a restoration takes. One that takes longer starts again.
_RESTORE_TIMEOUT = 60


async def restore(worker: str, database: DatabaseThread) -> int:
    """Write all that limits depend on to Redis, then allow claims. Return the number of jobs restored."""
    client = redis_client.aclient()
    await client.set(scripts.key("restoring"), worker, ex=_RESTORE_TIMEOUT)
    added = await put_back(await database.run_sync(active_jobs))
    await live_limits.sync_all_queues(database)
    await weights.sync_all(database)
    for queue, starts in (await database.run_sync(recent_starts)).items():
        await client.zadd(scripts.queue_key(queue, "limiter_starts"), starts)
    if not await redis_client.arun(scripts.mark_reconciled(worker)):
        logger.warning("Redis lost its data again while it was restored; starting again")
    return added


async def restore_lost_starts(database: DatabaseThread) -> None:
    """Write the starts of limiters back whose key was lost."""
    client = redis_client.aclient()
    limited = [name for name, queue in get_conf().queues.items() if queue.limiter]
    keys = {name: scripts.queue_key(name, "limiter_starts") for name in limited}
    lost = [name for name in limited if not await client.exists(keys[name])]
    starts = await database.run_sync(recent_starts) if lost else {}
    for name in lost:
        # The start of 1970 is in no window. It keeps the key, so that it does not count as lost again.
        await client.zadd(keys[name], {"": 0} | starts.get(name, {}))


def active_jobs() -> list[Job]:
    """Return all jobs that are active on record."""
    rows = Job.objects.extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (the condition of an index)
    return list(rows.filter(state=State.ACTIVE).only(*SCHEDULE_FIELDS))


#: The fields of `Job` that the schedule needs.
SCHEDULE_FIELDS = ("id", "queue", "owner", "share", "priority", "state", "token", "run_at", "options")


def recent_starts() -> dict[str, dict[str, float]]:
    """Return the starts within the window of each queue with a limiter: a name of each start -> ms."""
    found: dict[str, dict[str, float]] = {}
    for queue in map(live_limits.effective, get_conf().queues):
        if not queue.limiter:
            continue
        since = timezone.now() - timedelta(seconds=queue.limiter.duration)
        latest = Job.objects.filter(queue=queue.name, started_at__gt=since)
        earlier = FailedAttempt.objects.filter(job__queue=queue.name, started_at__gt=since)
        starts = {f"{job_id.hex}:{at}": at for job_id, at in latest.values_list("id", "started_at")}
        starts |= {f"{job_id.hex}:{at}": at for job_id, at in earlier.values_list("job_id", "started_at")}
        if starts:
            found[queue.name] = {name: at.timestamp() * 1000 for name, at in starts.items()}
    return found


async def put_back(rows: Sequence[Job]) -> int:
    """Add jobs to Redis in their state on record, and return the number that Redis did not know."""
    added = 0
    for queue, jobs in _by_queue(rows):
        active = [job for job in jobs if job.state == State.ACTIVE]
        others = [job for job in jobs if job.state != State.ACTIVE]
        if active:
            entries = [(schedule_entry(job), job.token) for job in active]
            claims = [(entry.id, entry.account, entry.priority, token) for entry, token in entries]
            added += await redis_client.arun(scripts.restore_active(queue, claims))
        if others:
            added += await redis_client.arun(scripts.submit(queue, [schedule_entry(job) for job in others]))
    return added


def _by_queue(rows: Sequence[Job]) -> Iterator[tuple[str, list[Job]]]:
    known = get_conf().queues
    for queue in sorted({job.queue for job in rows}):
        if queue in known:  # the rows of a queue that is no longer in the settings are kept
            yield queue, [job for job in rows if job.queue == queue]
