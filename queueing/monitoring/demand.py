"""How many slots a queue could use now: the number by which workers are added and removed."""

from queueing.conf import QueueDef
from queueing.schedule.replies import Counts


def demand(counts: Counts, queue: QueueDef) -> int:
    """Return the active jobs and those that more workers could start now. `queue` has the limits in force.

    Jobs that a limiter, a cap, a pause or the provider holds back do not start earlier with more workers.
    """
    if counts.paused or counts.cooldown or counts.outage:
        return counts.active
    startable = counts.waiting - counts.parked
    if queue.global_concurrency:
        startable = min(startable, queue.global_concurrency - counts.active)
    if queue.limiter:
        startable = min(startable, queue.limiter.max - counts.limiter_starts)
    return counts.active + max(0, startable)
