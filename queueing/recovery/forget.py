"""Take jobs that ended without a run out of the schedule, and notify their owners."""

from collections import defaultdict
from collections.abc import Iterable

from queueing.events import delivery, messages
from queueing.models import Job
from queueing.record.run import as_result
from queueing.schedule import redis_client, scripts


async def forget(ended: Iterable[Job]) -> None:
    """Remove these finished jobs from Redis, and send the owners their last events."""
    queues: dict[str, list[Job]] = defaultdict(list)
    for job in ended:
        queues[job.queue].append(job)
    for queue, jobs in queues.items():
        await redis_client.arun(scripts.remove(queue, [job.id.hex for job in jobs]))
        await delivery.emit_many([(job.owner, messages.terminal_event(as_result(job))) for job in jobs])
