"""Find out which job kills workers: the jobs that a dead worker ran are suspects, and each runs alone.

A suspect is not in line. A prober, which is a worker process for one job, finds it here and claims it. If the
prober dies, its job was the cause, and the death counts for the job. If the run ends in any other way, the
job is not a suspect any more. Suspect jobs are marked in the record. Suspect tasks of Django-Q2 are marked in
Redis, where these tasks are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from queueing.conf import DJANGO_Q_QUEUE, get_queue
from queueing.models import Job
from queueing.record.database_thread import DatabaseThread
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.enqueue import schedule_entry
from queueing.schedule.scripts import ScheduleEntry
from queueing.states import State

#: Suspects that one call finds.
_PAGE_SIZE = 50
#: Seconds for which the number of jobs that a dead worker ran is kept.
_COUNT_TTL = 600


class Suspect(NamedTuple):
    """A job, or a task of Django-Q2, that waits to run alone."""

    queue: str
    entry: ScheduleEntry


async def waiting(database: DatabaseThread, queues: Collection[str]) -> list[Suspect]:
    """Return suspects of `queues` that wait to run alone, the oldest first."""
    jobs = await database.run_sync(_waiting_jobs, queues)
    found = [Suspect(job.queue, schedule_entry(job)) for job in jobs]
    if DJANGO_Q_QUEUE not in queues:
        return found
    client = redis_client.aclient()
    tasks = await client.hkeys(_key())
    if tasks:
        priority = get_queue(DJANGO_Q_QUEUE).priority
        claims = await client.hmget(scripts.key("claims"), tasks)
        free = [task_id for task_id, token in zip(tasks, claims, strict=True) if token is None]
        found += [Suspect(DJANGO_Q_QUEUE, ScheduleEntry(task_id, "", priority)) for task_id in free]
    return found


def _waiting_jobs(queues: Collection[str]) -> list[Job]:
    rows = Job.objects.filter(suspect=True, state=State.WAITING, queue__in=queues)
    return list(rows.order_by("id")[:_PAGE_SIZE])


class Deaths:
    """The workers of expired claims, and what they ran when they died."""

    def __init__(
        self, held: Mapping[str, Sequence[str]], numbers: Mapping[str, int], alive: Iterable[str]
    ) -> None:
        self._held = held
        """Worker -> the ids of its claims that are still there."""
        self._numbers = numbers
        """Worker -> the number of its claims when the first of them was found expired."""
        self._alive = set(alive)

    def is_dead(self, token: str) -> bool:
        """Return whether the claim's worker died. A living one may have lost track of a claim."""
        return _worker(token) not in self._alive

    def number_of_jobs(self, token: str) -> int:
        """Return how many jobs the claim's worker ran when it died, at least 1."""
        return self._numbers.get(_worker(token), 1)

    def jobs_beside(self, tokens: Iterable[str]) -> list[str]:
        """Return the ids of all that the dead workers of these claims ran, unless it was one alone."""
        dead = {_worker(token) for token in tokens if self.is_dead(token) and self.number_of_jobs(token) > 1}
        return [job_id for worker in dead for job_id in self._held.get(worker, ())]


NO_DEATHS_KNOWN = Deaths({}, {}, ())


async def find_deaths(tokens: Iterable[str]) -> Deaths:
    """Return what Redis knows of the workers of these expired claims."""
    client = redis_client.aclient()
    held: dict[str, list[str]] = defaultdict(list)
    for job_id, token in (await client.hgetall(scripts.key("claims"))).items():
        held[_worker(token)].append(job_id)
    numbers = {}
    for worker in map(_worker, tokens):
        # The leases of a worker expire one after another, and its claims are then gone.
        key = scripts.key(f"jobs_at_death:{worker}")
        await client.set(key, len(held[worker]), nx=True, ex=_COUNT_TTL)
        numbers[worker] = int(await client.get(key) or 1)
    return Deaths(held, numbers, [worker["id"] for worker in await presence.workers()])


def _worker(token: str) -> str:
    return token.rpartition("/")[0]


async def record_lost_tasks(claims: Sequence[tuple[str, str]], deaths: Deaths) -> list[str]:
    """Mark tasks of Django-Q2 whose worker died as suspects, and count the deaths of those that were alone.

    Return their ids.
    """
    client, found = redis_client.aclient(), []
    known = dict.fromkeys(await client.hkeys(_key()))
    for task_id in deaths.jobs_beside(token for _, token in claims):
        if await client.hexists(scripts.key("packages"), task_id):
            await client.hsetnx(_key(), task_id, 0)
    for task_id, token in claims:
        if deaths.is_dead(token):
            alone = scripts.is_alone(token) or (deaths.number_of_jobs(token) == 1 and task_id not in known)
            await client.hincrby(_key(), task_id, int(alone))
            found.append(task_id)
    return found


async def deaths_of_task(task_id: str) -> int:
    """Return how many workers died while they ran this task of Django-Q2 alone."""
    return int(await redis_client.aclient().hget(_key(), task_id) or 0)


async def forget_task(task_id: str) -> None:
    """Forget that a task of Django-Q2 was a suspect: it has ended."""
    await redis_client.aclient().hdel(_key(), task_id)


def _key() -> str:
    return scripts.key("suspects")
