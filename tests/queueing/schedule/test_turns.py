"""E21: inside a queue, priority delays a job for a bounded time and a bounded number of starts."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import key, queue_key
from tests.support.valkey import wait_until

from .operations import claim, finish, put, run_all
from .strategies import owners

HOUR = 3600
#: One of this number of starts is the turn of another priority (claim.lua).
TURN = 4

test = QueueDef(name="test", concurrency=50)


@pytest.fixture
def ageing(valkey: Any, settings: Any):
    """Call it to set the seconds after which a job takes turns."""

    def change(seconds: float) -> None:
        settings.QUEUEING = settings.QUEUEING | {"AGEING": seconds, "LEASE": HOUR}

    return change


def start_behind_flood(starts: int, flood_priority: int = 5, size: int = 1) -> list[str]:
    """Start jobs while new ones of a better priority always wait. Return the ids in the order of starts."""
    started: list[str] = []
    while len(started) < starts:
        put(test, many=size, priority=flood_priority)
        claims = claim(test, size)
        finish(test, claims)
        started += claims
    return started


@pytest.mark.parametrize("size", [1, 3, 10, 50])
def test_last_priority_behind_a_flood_starts_within_its_turns(ageing, size):
    ageing(0)
    put(test, many=200, priority=5)
    last = put(test, many=5, priority=900)
    started = start_behind_flood(TURN * 5 + size, size=size)
    for number, job in enumerate(last, 1):
        assert started.index(job) < TURN * number
    assert len(set(started) & set(last)) == 5


def test_jobs_that_have_not_waited_start_strictly_by_priority(ageing):
    ageing(HOUR)
    last = put(test, many=5, priority=900)
    started = start_behind_flood(60)
    assert not set(started) & set(last)
    middle = put(test, many=3, priority=6)
    assert run_all(test)[-8:] == middle + last


def test_flood_of_other_priorities_leaves_three_of_four_starts_to_the_first(ageing):
    ageing(0)
    low = [set(put(test, many=100, priority=priority)) for priority in (7, 900, 1000)]
    started = start_behind_flood(120, size=2)
    assert [len(jobs & set(started)) for jobs in low] == [10, 10, 10]


def test_job_moves_when_it_has_waited_the_time_of_the_setting(ageing):
    ageing(0.3)
    (last,) = put(test, priority=900)
    assert last not in start_behind_flood(2 * TURN)
    wait_until(lambda: last in start_behind_flood(TURN), "the last job to start", timeout=5)


def test_queues_that_share_few_slots_keep_the_share_of_turns(ageing):
    """A turn counts only if its queue was chosen, and the order of the others is unchanged."""
    ageing(0.001)
    queues = [QueueDef(name=f"test-{n}", priority=5, concurrency=5) for n in range(4)]
    low = {job for queue in queues if put(queue, many=200) for job in put(queue, many=200, priority=900)}
    lines = {q.name: redis_client.client().zrange(queue_key(q.name, "waiting"), 0, -1) for q in queues}
    started: dict[str, list[str]] = {queue.name: [] for queue in queues}
    for number in range(240):
        claims = redis_client.run(scripts.claim(queues, token := f"c1/w/{number}", 1)).jobs
        for job in claims:
            started[job.queue].append(job.id)
            queue = next(q for q in queues if q.name == job.queue)
            finish(queue, {job.id: token})
            put(queue)
    for name, jobs in started.items():
        assert len(low & set(jobs)) == len(jobs) // TURN
        left = [job for job in lines[name] if job not in jobs]
        now = redis_client.client().zrange(queue_key(name, "waiting"), 0, -1)
        assert [job for job in now if job in set(left)] == left


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    jobs=st.lists(st.tuples(st.integers(2, 5), owners), min_size=1, max_size=25),
    size=st.integers(1, 9),
)
def test_every_priority_has_its_turns_in_its_own_order(ageing, valkey, jobs, size):
    """The number-th start of a priority is among the first TURN * priorities * number starts."""
    valkey.client.flushall()
    valkey.client.set(key("reconciled"), 0)
    ageing(0)
    put(test, many=3, priority=1)
    priority_of = {put(test, owner, priority=priority)[0]: priority for priority, owner in jobs}
    line = [job for job in valkey.client.zrange(queue_key("test", "waiting"), 0, -1) if job in priority_of]
    priorities = len(set(priority_of.values()))
    started = start_behind_flood(TURN * priorities * len(jobs) + size, flood_priority=1, size=size)
    in_order: dict[int, list[str]] = defaultdict(list)
    for index, job in enumerate(started):
        if priority := priority_of.get(job):
            in_order[priority].append(job)
            # The jobs of one claim start together.
            assert index < TURN * priorities * len(in_order[priority]) + size - 1
    for priority, found in in_order.items():
        assert found == [job for job in line if priority_of[job] == priority]
    assert redis_client.run(scripts.counts("test")).waiting == valkey.client.zcard(
        queue_key("test", "waiting")
    )
    assert set(in_order) == set(priority_of.values())
