"""The order of claims: owners within a queue, queues by priority, owners at their maximum."""

from collections.abc import Callable
from typing import Any

import pytest

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import queue_key

from .operations import claim, claim_reply, ended_leases, finish, put, run_all

HOUR = 3600


@pytest.fixture
def set_engine(valkey: Any, settings: Any) -> Callable[..., None]:
    """Call it to change the engine's settings. At first leases are long and nothing ages."""

    def change(**values: Any) -> None:
        settings.QUEUEING = settings.QUEUEING | {name.upper(): value for name, value in values.items()}

    change(lease=HOUR, ageing=HOUR)
    return change


pytestmark = pytest.mark.usefixtures("set_engine")


one = QueueDef(name="test", concurrency=1)
capped = QueueDef(name="test", concurrency=50, owner_concurrency=1)


def test_claim_owner_with_thousand_jobs_does_not_delay_other_owner():
    put(one, "a", 1000)
    (single,) = put(one, "b")
    assert single in run_all(one, limit=2)


def test_claim_two_owners_with_many_jobs_alternate():
    a, b = put(one, "a", 20), put(one, "b", 20)
    assert run_all(one) == [job for pair in zip(a, b, strict=True) for job in pair]


def test_claim_late_owner_starts_at_present_without_catching_up():
    a = put(one, "a", 20)
    assert run_all(one, limit=10) == a[:10]
    b = put(one, "b", 5)
    turns = [job for pair in zip(b, a[10:15], strict=True) for job in pair]
    assert run_all(one) == turns + a[15:]


def test_claim_jobs_without_owner_run_in_submission_order():
    jobs = put(one, "", 30)
    assert run_all(one) == jobs


def test_claim_priority_precedes_fairness():
    late = put(one, "a", 3, priority=2)
    first = put(one, "a", 3, priority=1)
    assert run_all(one) == first + late


def test_remove_waiting_jobs_refunds_charge_of_owner():
    redis_client.run(scripts.remove("test", put(one, "a", 100)))
    put(one, "b", 100)
    (again,) = put(one, "a")
    assert again in run_all(one, limit=3)


def test_retry_later_of_owner_with_many_jobs_runs_behind_other_owner():
    a, b = put(one, "a", 3), put(one, "b", 3)
    ((job, token),) = claim(one).items()
    assert redis_client.run(scripts.retry_later("test", [(job, token, 0)])) == []
    order = run_all(one)
    assert sorted(order) == sorted(a + b)
    assert order[0] == b[0]


def test_release_makes_job_next_again():
    a = put(one, "a", 5)
    ((job, token),) = claim(one).items()
    assert redis_client.run(scripts.release("test", [(job, token)])) == []
    assert run_all(one) == a


def test_claim_with_few_slots_takes_better_queue_first():
    low, high = (
        QueueDef(name="low", priority=9, concurrency=9),
        QueueDef(name="high", priority=1, concurrency=9),
    )
    waits, first = put(low, many=5), put(high, many=5)
    assert sorted(claim([low, high], 6)) == sorted([*first, waits[0]])


def test_claim_with_enough_slots_takes_every_queue():
    low, high = (
        QueueDef(name="low", priority=9, concurrency=2),
        QueueDef(name="high", priority=1, concurrency=2),
    )
    put(low, many=5)
    put(high, many=5)
    assert len(claim([low, high], 4)) == 4
    assert redis_client.run(scripts.counts("low")).active == 2


def test_claim_ageing_moves_last_queue_while_first_is_never_empty(set_engine):
    set_engine(ageing=0.002)
    low, high = (
        QueueDef(name="low", priority=9, concurrency=1),
        QueueDef(name="high", priority=1, concurrency=1),
    )
    (waits,) = put(low)
    for _ in range(2000):
        put(high)  # the first queue always has a new job
        (job, token), *_ = claim([low, high]).items()
        if job == waits:
            return
        finish(high, {job: token})
        redis_client.run(
            scripts.remove("high", redis_client.client().zrange(queue_key("high", "waiting"), 0, -1))
        )
    pytest.fail("2000 claims, and the last queue's job never ran")


def test_claim_owner_at_maximum_lets_other_owners_pass():
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
    assert ended_leases("test") == claims
    assert redis_client.run(scripts.release("test", claims.items(), expired=True)) == []
    redis_client.run(scripts.remove("test", claims))  # else it would be first again


@pytest.mark.parametrize("end", [ended_by_finish, ended_by_cancel, ended_by_retry, ended_by_stall])
def test_parked_jobs_one_returns_for_each_end(end):
    jobs = put(capped, "a", 4)
    for job in jobs:
        claims = claim(capped, 40)
        assert list(claims) == [job]
        assert claim(capped, 40) == {}
        end(claims)
    assert claim(capped, 40) == {}


def test_parked_jobs_two_return_after_two_ends_in_one_batch():
    two = QueueDef(name="test", concurrency=50, owner_concurrency=2)
    jobs = put(two, "a", 5)
    running = claim(two, 40)
    assert list(running) == jobs[:2]
    claim(two, 40)  # parks the others
    finish(two, running)
    assert list(claim(two, 40)) == jobs[2:4]


def test_remove_unparked_job_brings_back_next_parked_job():
    jobs = put(capped, "a", 3)
    running = claim(capped, 40)
    claim(capped, 40)  # parks the others
    finish(capped, running)
    redis_client.run(scripts.remove("test", [jobs[1]]))
    assert list(claim(capped, 40)) == [jobs[2]]


def test_claim_behind_hundreds_of_parked_jobs_finds_other_owner_within_few_claims():
    put(capped, "a", 300, priority=1)
    (b,) = put(capped, "b", priority=9)
    narrow = QueueDef(name="test", concurrency=10, owner_concurrency=1)
    for _ in range(20):
        claims = claim_reply(narrow, 10)
        if b in [job.id for job in claims.jobs]:
            return
        assert claims.again_in == 0, "a claim that stopped searching asks for another one"
    pytest.fail("20 claims, and the job behind the capped owner's was not found")


def test_parked_jobs_count_as_waiting_and_have_positions():
    jobs = put(capped, "a", 5)
    claim(capped, 40)
    claim(capped, 40)
    assert redis_client.run(scripts.counts("test", "a")).waiting == 4
    assert [place.ahead for place in redis_client.run(scripts.positions("test", jobs[1:]))] == [0, 1, 2, 3]
