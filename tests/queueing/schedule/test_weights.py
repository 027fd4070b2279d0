"""Weights: an owner of weight 3 gets three turns in line for one of others."""

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import ScheduleEntry, Weight, queue_key

from .operations import claim, finish, numbers, put, run_all

one = QueueDef(name="test", concurrency=1)
FLUSHED = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def engine(valkey: Any, settings: Any) -> None:
    settings.QUEUEING = settings.QUEUEING | {"LEASE": 3600, "AGEING": 3600}


def weigh(**weights: int) -> None:
    """Set the weights of these owners, and of no other."""
    version = redis_client.client().hget(scripts.key(scripts.WEIGHTS), "") or ""
    rows = [Weight(name, False, weight) for name, weight in weights.items()]
    assert redis_client.run(scripts.set_weights(["test"], rows, version, all_of_them=True)) is not None


def begin_again() -> None:
    redis_client.client().flushdb()
    redis_client.client().set(scripts.key("reconciled"), 0)


def places() -> list[int]:
    """Return the virtual starts of the jobs in line."""
    return [int(score) % 2**40 for _, score in redis_client.client().zrange(line(), 0, -1, withscores=True)]


def line() -> str:
    return queue_key("test", "waiting")


def tags() -> dict[str, float]:
    return dict(redis_client.client().zrange(queue_key("test", "owner_finish_tags"), 0, -1, withscores=True))


@pytest.mark.parametrize("concurrency", [1, 4])
def test_claims_of_weights_3_to_1_are_3_to_1(concurrency):
    wide = QueueDef(name="test", concurrency=concurrency)
    weigh(large=3)
    whose = dict.fromkeys(put(wide, "small", 900), "small") | dict.fromkeys(put(wide, "large", 900), "large")
    started = Counter[str]()
    while started.total() < 1000:
        claims = claim(wide, concurrency)
        started.update(whose[job] for job in claims)
        finish(wide, claims)
    assert abs(started["large"] - 750) <= concurrency + 1


weights = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 16), min_size=2, max_size=4)


@given(weights, st.integers(1, 5))
@FLUSHED
def test_starts_of_any_weights_never_differ_by_more_than_a_turn(weights, slots):
    """The bound of start-time fair queueing, while all owners have jobs in line."""
    begin_again()
    weigh(**weights)
    wide = QueueDef(name="test", concurrency=slots)
    whose = {job: owner for owner in weights for job in put(wide, owner, 12 * weights[owner])}
    started, left = Counter[str](), Counter(whose.values())
    while min((left - started)[owner] for owner in weights) > slots:
        claims = claim(wide, slots)
        started.update(whose[job] for job in claims)
        finish(wide, claims)
        for a, b in combinations(weights, 2):
            turns_a, turns_b = started[a] / weights[a], started[b] / weights[b]
            rounding = 0.01 * max(turns_a, turns_b)  # 840 is no multiple of all weights
            assert abs(turns_a - turns_b) <= 1 / weights[a] + 1 / weights[b] + rounding


@given(st.lists(st.integers(0, 5), min_size=6, max_size=18), st.integers(2, 6))
@FLUSHED
def test_share_with_a_weight_gets_its_turns_however_many_owners_it_has(spread, weight):
    begin_again()
    rows = [Weight("n:1", True, weight), Weight("n:1", False, 16)]  # the owner of this name is another
    assert redis_client.run(scripts.set_weights(["test"], rows, ""))
    whose = {}
    for owner in spread * weight:
        entry = ScheduleEntry(f"{next(numbers):032x}", f"s:{owner}", 5, share="n:1")
        assert redis_client.run(scripts.submit("test", [entry])) == 1
        whose[entry.id] = "share"
    whose |= dict.fromkeys(put(one, "u:7", len(spread)), "other")
    started = Counter(whose[job] for job in run_all(one, limit=len(spread) * weight // 2))
    assert abs(started["share"] / weight - started["other"]) <= 1 + 1 / weight


def test_queue_without_weights_is_as_before():
    """Workers of older code, whose scripts know no weights, put jobs in line in the same way."""
    put(one, "a", 3)
    assert places() == [0, 1, 2]
    assert tags() == {"a": 3}
    assert not redis_client.client().hexists(queue_key("test", "meta"), "weighted")
    assert not redis_client.client().exists(scripts.key(scripts.WEIGHTS))


def test_weight_counts_for_jobs_that_are_put_in_line_afterwards():
    before = put(one, "a", 2) + put(one, "b", 2)
    weigh(a=2)
    a, b = put(one, "a", 4), put(one, "b", 2)
    order = run_all(one)
    assert sorted(order[:4]) == sorted(before)
    assert [job for job in order[4:] if job in a] == a
    assert Counter(job in a for job in order[4:7]) == {True: 2, False: 1}
    assert sorted(order[4:]) == sorted(a + b)


def test_last_weight_removed_counts_no_more_once_the_queue_is_idle():
    weigh(a=3)
    put(one, "a", 2)
    put(one, "b", 2)
    weigh()
    flood = put(one, "c", 5)
    (b,) = put(one, "b")
    order = run_all(one)
    assert order.index(b) < order.index(flood[3]), "jobs in line keep their places"
    put(one, "c", 3)
    assert places() == [0, 1, 2]


def test_idle_queue_with_weights_begins_its_time_again():
    weigh(a=3)
    for _ in range(3):
        put(one, "a", 5)
        put(one, "b", 5)
        assert max(places()) == 4 * 840
        run_all(one)


def test_active_job_keeps_the_time_of_its_queue():
    """The owner that has just had its turn is not first again because the line was empty for a moment."""
    weigh(a=3)
    put(one, "b")
    claims = claim(one)
    late, first = put(one, "b"), put(one, "c")
    finish(one, claims)
    assert run_all(one) == first + late


def test_remove_refunds_what_the_jobs_cost():
    weigh(a=4)
    redis_client.run(scripts.remove("test", put(one, "a", 50)[1:]))
    assert tags() == {"a": 210}


def test_release_behind_others_lets_one_job_of_each_owner_pass():
    weigh(a=4)
    (first,), b, c = put(one, "a"), put(one, "b", 2), put(one, "c", 2)
    claims = claim(one)
    assert list(claims) == [first]
    assert redis_client.run(scripts.release("test", claims.items(), behind=True)) == []
    assert run_all(one)[:3] == [b[0], c[0], first]


def test_set_weights_replies_whether_anything_changed():
    rows = [Weight("a", False, 3)]
    assert redis_client.run(scripts.set_weights(["test"], rows, "")) is True
    assert redis_client.run(scripts.set_weights(["test"], [], "")) is None, "another writer was faster"
    version = redis_client.client().hget(scripts.key(scripts.WEIGHTS), "")
    assert redis_client.run(scripts.set_weights(["test"], rows, version)) is False


def test_submit_with_lost_weights_still_orders_the_line():
    weigh(a=3)
    redis_client.client().delete(scripts.key(scripts.WEIGHTS))
    a, b = put(one, "a", 2), put(one, "b", 2)
    assert run_all(one) == [a[0], b[0], a[1], b[1]]
