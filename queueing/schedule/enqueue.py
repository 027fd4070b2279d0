"""Put committed jobs in line."""

import logging
from collections.abc import Sequence

from django.utils import timezone

from queueing.models import Job

from . import redis_client, scripts

logger = logging.getLogger(__name__)

#: Jobs a bulk submission schedules at a time.
_BATCH_SIZE = 1000


def schedule_entry(job: Job) -> scripts.ScheduleEntry:
    """The job as the schedule needs it."""
    delay = (job.run_at - timezone.now()).total_seconds() if job.run_at else 0.0
    return scripts.ScheduleEntry(job.id.hex, job.owner, job.priority, max(0.0, delay))


def enqueue_all(jobs: Sequence[Job]) -> int:
    """Put committed rows in line; the number Redis did not know. Never raises: reconciliation follows."""
    added = 0
    try:
        for queue in {job.queue for job in jobs}:
            mine = [schedule_entry(job) for job in jobs if job.queue == queue]
            for i in range(0, len(mine), _BATCH_SIZE):
                added += redis_client.run(scripts.submit(queue, mine[i : i + _BATCH_SIZE]))
    except redis_client.Unavailable as exc:
        logger.warning("Redis is away (%s): %d jobs are kept and will be scheduled later", exc, len(jobs))
    return added
