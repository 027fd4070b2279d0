"""Short words for the schedule's moves, for tests that read as what they say."""

import itertools
import uuid

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Claims, Outcome, ScheduleEntry

#: Of jobs and of claims.
numbers = itertools.count(1)


def put(queue: QueueDef, owner: str = "", many: int = 1, priority: int = 5, delay: float = 0) -> list[str]:
    """Submit jobs; their ids, which sort by age."""
    entries = [ScheduleEntry(f"{next(numbers):032x}", owner, priority, delay) for _ in range(many)]
    assert redis_client.run(scripts.submit(queue.name, entries)) == many
    return [entry.id for entry in entries]


def token(cluster: str = "c1") -> str:
    """A claim's token, never used before."""
    return f"{cluster}/{uuid.uuid4().hex[:4]}/{next(numbers)}"


def ask(queue: QueueDef, slots: int = 100) -> Claims:
    """What a claim says."""
    return redis_client.run(scripts.claim([queue], token(), slots))


def claim(queues: QueueDef | list[QueueDef], slots: int = 1, cluster: str = "c1") -> dict[str, str]:
    """id -> token of what a claim hands out."""
    mine = token(cluster)
    queues = queues if isinstance(queues, list) else [queues]
    return {job.id: mine for job in redis_client.run(scripts.claim(queues, mine, slots)).jobs}


def finish(queue: QueueDef, claims: dict[str, str]) -> None:
    """All of them completed."""
    outcomes = [Outcome(job_id, token, "completed", 1) for job_id, token in claims.items()]
    assert redis_client.run(scripts.finish(queue, outcomes)) == []


def serve(queue: QueueDef, most: int = 10_000) -> list[str]:
    """Run jobs one after the other until none is left; their ids in the order of their starts."""
    served: list[str] = []
    while len(served) < most and (claims := claim(queue)):
        served += claims
        finish(queue, claims)
    return served
