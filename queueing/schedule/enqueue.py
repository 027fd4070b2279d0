"""Put committed jobs into the schedule."""

import logging
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from queueing.models import Job
from queueing.options import stored_limits

from . import redis_client, scripts

logger = logging.getLogger(__name__)

#: Jobs that one script call adds.
_BATCH_SIZE = 1000


def schedule_entry(job: Job) -> scripts.ScheduleEntry:
    """Return what the schedule stores of `job`."""
    delay = (job.run_at - timezone.now()).total_seconds() if job.run_at else 0.0
    return scripts.ScheduleEntry(
        job.id.hex, job.owner, job.priority, max(0.0, delay), job.share, stored_limits(job.options)
    )


def enqueue(job: Job, then: Sequence[redis_client.ScriptCall[Any]]) -> list[Any]:
    """Add a committed job to the schedule, run `then` in the same round trip, and return the replies to it.

    Never raises. Empty if Redis is unavailable: reconciliation adds the job later.
    """
    try:
        return redis_client.run_many([scripts.submit(job.queue, [schedule_entry(job)]), *then])[1:]
    except redis_client.Unavailable as exc:
        _log(exc, 1)
        return []


def postpone(job: Job) -> None:
    """Let a committed job that is delayed become waiting at its `run_at`. Never raises."""
    try:
        redis_client.run(scripts.postpone(job.queue, job.id.hex, schedule_entry(job).delay))
    except redis_client.Unavailable as exc:
        logger.warning("Redis is unavailable (%s): job %s is not postponed", exc, job.id.hex)


def _log(error: Exception, jobs: int) -> None:
    logger.warning("Redis is unavailable (%s): %d jobs are stored and scheduled later", error, jobs)


def enqueue_all(jobs: Sequence[Job]) -> int:
    """Add committed jobs to the schedule and return the number that were new to it.

    Never raises: reconciliation adds the jobs later if Redis is unavailable.
    """
    added = 0
    try:
        for queue in {job.queue for job in jobs}:
            entries = [schedule_entry(job) for job in jobs if job.queue == queue]
            for i in range(0, len(entries), _BATCH_SIZE):
                added += redis_client.run(scripts.submit(queue, entries[i : i + _BATCH_SIZE]))
    except redis_client.Unavailable as exc:
        _log(exc, len(jobs))
    return added
