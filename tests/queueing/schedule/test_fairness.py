"""Who is served when: owners within a queue, queues against each other, owners at their cap."""

from collections.abc import Callable
from typing import Any

import pytest

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import queue_key

from .moves import ask, claim, finish, put, serve

HOUR = 3600


@pytest.fixture
def set_engine(valkey: Any, settings: Any) -> Callable[..., None]:
    """Change the engine's settings; at first leases are long and nothing ages."""

    def change(**values: Any) -> None:
        settings.QUEUEING = settings.QUEUEING | {name.upper(): value for name, value in values.items()}

    change(lease=HOUR, ageing=HOUR)
    return change


pytestmark = pytest.mark.usefixtures("set_engine")


one = QueueDef(name="test", concurrency=1)
capped = QueueDef(name="test", concurrency=50, owner_concurrency=1)


def test_one_with_a_thousand_jobs_does_not_hold_up_another():
    put(one, "a", 1000)
    (single,) = put(one, "b")
    assert single in serve(one, most=2)


def test_two_with_many_jobs_take_turns():
    a, b = put(one, "a", 20), put(one, "b", 20)
    assert serve(one) == [job for pair in zip(a, b, strict=True) for job in pair]


def test_who_comes_late_stands_at_the_present_and_does_not_catch_up():
    a = put(one, "a", 20)
    assert serve(one, most=10) == a[:10]
    b = put(one, "b", 5)
    turns = [job for pair in zip(b, a[10:15], strict=True) for job in pair]
    assert serve(one) == turns + a[15:]


def test_those_without_an_owner_are_served_in_the_order_they_came():
    jobs = put(one, "", 30)
    assert serve(one) == jobs


def test_priority_goes_before_fairness():
    late = put(one, "a", 3, priority=2)
    first = put(one, "a", 3, priority=1)
    assert serve(one) == first + late


def test_what_was_cancelled_before_it_ran_is_not_held_against_its_owner():
    redis_client.run(scripts.remove("test", put(one, "a", 100)))
    put(one, "b", 100)
    (again,) = put(one, "a")
    assert again in serve(one, most=3)


def test_a_retried_job_does_not_jump_its_owners_queue_forever():
    a, b = put(one, "a", 3), put(one, "b", 3)
    ((job, token),) = claim(one).items()
    assert redis_client.run(scripts.retry_later("test", [(job, token, 0)])) == []
    order = serve(one)
    assert sorted(order) == sorted(a + b)
    assert order[0] == b[0]


def test_a_released_job_is_the_next_again():
    a = put(one, "a", 5)
    ((job, token),) = claim(one).items()
    assert redis_client.run(scripts.release("test", [(job, token)])) == []
    assert serve(one) == a


def test_the_better_queue_is_served_first_when_slots_are_short():
    low, high = (
        QueueDef(name="low", priority=9, concurrency=9),
        QueueDef(name="high", priority=1, concurrency=9),
    )
    waits, first = put(low, many=5), put(high, many=5)
    assert sorted(claim([low, high], 6)) == sorted([*first, waits[0]])


def test_with_slots_enough_every_queue_is_served():
    low, high = (
        QueueDef(name="low", priority=9, concurrency=2),
        QueueDef(name="high", priority=1, concurrency=2),
    )
    put(low, many=5)
    put(high, many=5)
    assert len(claim([low, high], 4)) == 4
    assert redis_client.run(scripts.counts("low")).active == 2


def test_the_last_queue_moves_although_the_first_is_never_empty(set_engine):
    set_engine(ageing=0.002)
    low, high = (
        QueueDef(name="low", priority=9, concurrency=1),
        QueueDef(name="high", priority=1, concurrency=1),
    )
    (waits,) = put(low)
    for _ in range(2000):
        put(high)  # there is always a fresh job of the first queue
        (job, token), *_ = claim([low, high]).items()
        if job == waits:
            return
        finish(high, {job: token})
        redis_client.run(
            scripts.remove("high", redis_client.client().zrange(queue_key("high", "waiting"), 0, -1))
        )
    pytest.fail("2000 claims, and the last queue's job never ran")


def test_an_owner_at_the_cap_lets_others_past():
    a, b = put(capped, "a", 30), put(capped, "b", 1)
    assert sorted(claim(capped, 40)) == [a[0], b[0]]
    assert claim(capped, 40) == {}


def ended_by_finish(claims: dict[str, str]) -> None:
    finish(capped, claims)


def ended_by_cancel(claims: dict[str, str]) -> None:
    assert redis_client.run(scripts.remove("test", claims)) == [3] * len(claims)


def ended_by_retry(claims: dict[str, str]) -> None:
    redis_client.run(scripts.retry_later("test", [(job, token, HOUR) for job, token in claims.items()]))


def ended_by_stall(claims: dict[str, str]) -> None:
    redis_client.client().zadd(queue_key("test", "active"), dict.fromkeys(claims, 1))
    assert dict(redis_client.run(scripts.expired("test"))) == claims
    assert redis_client.run(scripts.release("test", claims.items(), expired=True)) == []
    redis_client.run(scripts.remove("test", claims))  # or it would be first again


@pytest.mark.parametrize("end", [ended_by_finish, ended_by_cancel, ended_by_retry, ended_by_stall])
def test_parked_jobs_come_back_one_for_each_that_ends(end):
    jobs = put(capped, "a", 4)
    for job in jobs:
        claims = claim(capped, 40)
        assert list(claims) == [job]
        assert claim(capped, 40) == {}
        end(claims)
    assert claim(capped, 40) == {}


def test_two_that_end_at_once_bring_back_two():
    two = QueueDef(name="test", concurrency=50, owner_concurrency=2)
    jobs = put(two, "a", 5)
    running = claim(two, 40)
    assert list(running) == jobs[:2]
    claim(two, 40)  # the rest is parked now
    finish(two, running)
    assert list(claim(two, 40)) == jobs[2:4]


def test_cancelling_the_one_whose_turn_it_was_brings_the_next():
    jobs = put(capped, "a", 3)
    running = claim(capped, 40)
    claim(capped, 40)  # the rest is parked now
    finish(capped, running)
    redis_client.run(scripts.remove("test", [jobs[1]]))
    assert list(claim(capped, 40)) == [jobs[2]]


def test_behind_hundreds_of_a_capped_owner_another_is_found_within_a_few_claims():
    put(capped, "a", 300, priority=1)
    (b,) = put(capped, "b", priority=9)
    narrow = QueueDef(name="test", concurrency=10, owner_concurrency=1)
    for _ in range(20):
        claims = ask(narrow, 10)
        if b in [job.id for job in claims.jobs]:
            return
        assert claims.again_in == 0, "it stopped looking, and nothing would make it look again"
    pytest.fail("20 claims, and the job behind the capped owner's was not found")


def test_parked_jobs_count_as_waiting_and_know_their_place():
    jobs = put(capped, "a", 5)
    claim(capped, 40)
    claim(capped, 40)
    assert redis_client.run(scripts.counts("test", "a")).waiting == 4
    assert [place.ahead for place in redis_client.run(scripts.positions("test", jobs[1:]))] == [0, 1, 2, 3]
