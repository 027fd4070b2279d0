"""S5: owners who have a share (a network) get the turns of one owner, and take turns in these."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import ScheduleEntry, queue_key

from .operations import claim, finish, numbers, put, run_all

one = QueueDef(name="test", concurrency=1)
capped = QueueDef(name="test", concurrency=50, owner_concurrency=2)
SHARE = "n:1"


@pytest.fixture(autouse=True)
def engine(valkey: Any, settings: Any) -> None:
    settings.QUEUEING = settings.QUEUEING | {"LEASE": 3600, "AGEING": 3600}


def put_shared(owner: str, many: int = 1, share: str = SHARE, priority: int = 5) -> list[str]:
    """Submit jobs of an owner who has a share, one by one, and return their ids."""
    ids = [f"{next(numbers):032x}" for _ in range(many)]
    for job_id in ids:
        entry = ScheduleEntry(job_id, owner, priority, share=share)
        assert redis_client.run(scripts.submit(one.name, [entry])) == 1
    return ids


def line() -> list[str]:
    """Return the ids of the jobs in line, in order."""
    return redis_client.client().zrange(queue_key("test", "waiting"), 0, -1)


def test_claim_share_with_new_owner_for_each_job_does_not_delay_other_owner():
    put(one, "warm")
    run_all(one)
    for number in range(110):
        put_shared(f"s:{number}")
    (stranger,) = put(one, "u:7")
    assert stranger in run_all(one, limit=2)


def test_claim_two_shares_alternate_however_many_owners_each_has():
    many = [put_shared(f"s:{n}", share="n:1")[0] for n in range(10)]
    few = put_shared("s:x", 10, share="n:2")
    assert run_all(one) == [job for pair in zip(many, few, strict=True) for job in pair]


def test_claim_owner_beside_one_with_many_jobs_of_the_same_share_is_next():
    flood = put_shared("s:flood", 50)
    (visitor,) = put_shared("s:visitor")
    assert line() == [flood[0], visitor, *flood[1:]]
    assert run_all(one) == [flood[0], visitor, *flood[1:]]


def test_claim_owners_of_one_share_take_turns_while_jobs_are_claimed():
    a = put_shared("a", 6)
    assert run_all(one, limit=1) == a[:1]
    b = put_shared("b", 3)
    assert run_all(one) == [a[1], b[0], a[2], b[1], a[3], b[2], *a[4:]]


def test_submit_to_share_moves_its_other_jobs_by_one_turn():
    a, other = put_shared("a", 5), put(one, "u:1", 5)
    before = line()
    put_shared("b")
    moved = {job: line().index(job) - before.index(job) for job in a + other}
    assert [moved[job] for job in a] == [0, 2, 2, 2, 2], "the share has every second turn"
    assert {moved[job] for job in other} <= {-1, 0, 1}
    assert [job for job in line() if job in other] == other


def test_submit_to_share_keeps_priorities():
    late, first = put_shared("a", 3, priority=7), put_shared("a", 2, priority=2)
    (b_late,) = put_shared("b", priority=7)
    assert run_all(one) == [*first, late[0], b_late, *late[1:]]


def test_claim_share_has_the_maximum_of_one_owner():
    jobs = [put_shared(f"s:{n}")[0] for n in range(6)]
    (stranger,) = put(capped, "u:7")
    running = claim(capped, 40)
    assert sorted(running) == sorted([*jobs[:2], stranger])
    finish(capped, {job: token for job, token in running.items() if job == jobs[0]})
    assert list(claim(capped, 40)) == [jobs[2]]


@pytest.mark.parametrize("raised", [0, 4])
def test_parked_jobs_of_a_share_return_when_the_maximum_is_raised(raised):
    jobs = [put_shared(f"s:{n}")[0] for n in range(4)]
    client = redis_client.client()
    client.zadd(
        queue_key("test", "parked"), {f"\1{'f' * 40}\x1f5\x1f{'e' * 32}": 0}
    )  # waits for an able worker
    assert list(claim(capped, 40)) == jobs[:2]
    assert client.zcard(queue_key("test", "parked")) == 3
    assert redis_client.run(scripts.set_overrides("test", {"owner_concurrency": raised}, ""))
    assert client.zcard(queue_key("test", "parked")) == 1
    assert list(claim(capped, 40)) == jobs[2:]


def test_remove_and_finish_leave_no_trace_of_shares():
    ids = [job for n in range(5) for job in put_shared(f"s:{n}", 2)]
    redis_client.run(scripts.remove("test", ids[:5]))
    assert redis_client.run(scripts.counts("test", "s:4", share=SHARE)).share_unfinished == 5
    assert len(run_all(one)) == 5
    client = redis_client.client()
    for name in ("shared", "parked", "owner_active", "owner_unfinished"):
        assert not client.exists(queue_key("test", name)), name


def test_recount_corrects_counts_of_shares():
    put_shared("a", 3)
    client = redis_client.client()
    client.hset(queue_key("test", "owner_unfinished"), f"\x1e{SHARE}", 99)
    client.zadd(queue_key("test", "shared"), {f"\x1e{SHARE}\x1f{'f' * 32}": 0})  # an old worker left it
    redis_client.run(scripts.recount("test", everything=True))
    assert redis_client.run(scripts.counts("test", "a", share=SHARE)).share_unfinished == 3
    assert client.zcard(queue_key("test", "shared")) == 3


def test_recount_brings_back_parked_jobs_of_a_share_whose_active_job_an_old_worker_ended():
    """To a worker of older code the owner with its share is one unknown owner, whose jobs are not parked."""
    jobs = put_shared("a", 5)
    running = claim(capped, 40)
    assert list(running) == jobs[:2]
    assert claim(capped, 40) == {}
    client = redis_client.client()
    for job in running:  # what finish.lua of older code does
        client.zrem(queue_key("test", "active"), job)
        client.hdel(scripts.key("claims"), job)
        client.hdel(scripts.key("jobs"), job)
    assert claim(capped, 40) == {}
    redis_client.run(scripts.recount("test", everything=True))
    assert list(claim(capped, 40)) == [jobs[2]]


owners = st.integers(0, 11)


@given(st.lists(owners, min_size=1, max_size=24), st.integers(1, 6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_share_does_not_grow_however_its_jobs_are_spread_over_owners(spread, others):
    """Owners without a share, each with as many jobs as the share, get as many starts as the share does."""
    redis_client.client().flushdb()
    redis_client.client().set(scripts.key("reconciled"), 0)
    whose = {job: "share" for owner in spread for job in put_shared(f"s:{owner}")}
    for number in range(others):
        whose |= dict.fromkeys(put(one, f"u:{number}", len(spread)), f"u:{number}")
    started = Counter[str]()
    for job in run_all(one):
        started[whose[job]] += 1
        assert started["share"] <= min(started[f"u:{n}"] for n in range(others)) + 1
    assert started.total() == len(whose)


@given(st.lists(owners, min_size=2, max_size=24))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_owners_of_a_share_wait_for_no_more_than_one_job_of_each_other_before_their_next(spread):
    redis_client.client().flushdb()
    redis_client.client().set(scripts.key("reconciled"), 0)
    whose = {put_shared(f"s:{owner}")[0]: owner for owner in spread}
    started = Counter[int]()
    for job in run_all(one):
        started[whose[job]] += 1
        behind = [owner for owner, n in Counter(spread).items() if n > started[owner]]
        assert all(started[whose[job]] <= started[owner] + 1 for owner in behind)
