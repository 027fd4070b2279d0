"""Operations on the schedule in a few words: submit, claim, finish."""

import itertools
import uuid

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Claims, Outcome, ScheduleEntry

#: The numbers of jobs and of claims.
numbers = itertools.count(1)


def put(queue: QueueDef, owner: str = "", many: int = 1, priority: int = 5, delay: float = 0) -> list[str]:
    """Submit jobs and return their ids, which sort by age."""
    entries = [ScheduleEntry(f"{next(numbers):032x}", owner, priority, delay) for _ in range(many)]
    assert redis_client.run(scripts.submit(queue.name, entries)) == many
    return [entry.id for entry in entries]


def token(cluster: str = "c1") -> str:
    """Return a token that no claim has used."""
    return f"{cluster}/{uuid.uuid4().hex[:4]}/{next(numbers)}"


def claim_reply(queue: QueueDef, slots: int = 100) -> Claims:
    """Claim jobs, and return the whole reply."""
    return redis_client.run(scripts.claim([queue], token(), slots))


def claim(queues: QueueDef | list[QueueDef], slots: int = 1, cluster: str = "c1") -> dict[str, str]:
    """Claim jobs, and return id -> token."""
    new_token = token(cluster)
    queues = queues if isinstance(queues, list) else [queues]
    return {job.id: new_token for job in redis_client.run(scripts.claim(queues, new_token, slots)).jobs}


def ended_leases(queue: str) -> dict[str, str]:
    """Return id -> token of the claims whose lease has ended."""
    _, leases = redis_client.run(scripts.ending_leases(queue))
    return {lease.id: lease.token for lease in leases}


def finish(queue: QueueDef, claims: dict[str, str]) -> None:
    """Complete all claimed jobs."""
    outcomes = [Outcome(job_id, token, "completed", 1) for job_id, token in claims.items()]
    assert redis_client.run(scripts.finish(queue, outcomes)) == []


def run_all(queue: QueueDef, limit: int = 10_000) -> list[str]:
    """Run jobs one after the other until none is left. Return their ids in the order of their starts."""
    started: list[str] = []
    while len(started) < limit and (claims := claim(queue)):
        started += claims
        finish(queue, claims)
    return started
