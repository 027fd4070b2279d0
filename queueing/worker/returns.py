"""Ending claims in Redis without a result: of jobs that had finished already, and of jobs given back."""

import logging
from collections.abc import Sequence

from queueing.conf import get_queue
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.schedule.needs import Need
from queueing.schedule.scripts import Claimed, Outcome

logger = logging.getLogger(__name__)


async def finish(jobs: Sequence[Claimed], token: str, state: str = "gone", *, wake: bool) -> None:
    """Remove finished jobs from Redis; with `wake`, notify other workers of the free slots."""
    try:
        for job in jobs:
            ended = [Outcome(job.id, token, state, 0)]
            await redis_client.arun(scripts.finish(get_queue(job.queue), ended, wake=wake))
    except redis_client.Unavailable as exc:
        logger.warning("Redis is unavailable (%s): %d entries stay until their leases end", exc, len(jobs))


async def park(jobs: Sequence[Job], token: str) -> None:
    """Park claimed jobs that this process cannot do until a worker that can claims them."""
    try:
        for job in jobs:
            need = Need(job.queue, job.kind, job.kind_version, sorted(job.args)).as_json()
            await redis_client.arun(scripts.park_unable(job.queue, [(job.id.hex, token, need)]))
    except redis_client.Unavailable as exc:
        logger.warning("Redis is unavailable (%s): %d jobs return when their leases end", exc, len(jobs))


async def give_back(jobs: Sequence[Claimed], token: str) -> None:
    """Put claimed jobs back in line."""
    try:
        for job in jobs:
            await redis_client.arun(scripts.release(job.queue, [(job.id, token)]))
    except redis_client.Unavailable as exc:
        logger.warning("Redis is unavailable (%s): %d jobs return when their leases end", exc, len(jobs))
