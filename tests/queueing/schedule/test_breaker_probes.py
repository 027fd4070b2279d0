"""How an open breaker is probed, and how it closes (K3, K4)."""

import pytest

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Fault

from .breaker_operations import BREAKER_QUEUES, fail, faults, is_open, open_breaker, pass_time, state, succeed
from .operations import claim, claim_reply, put

pytestmark = pytest.mark.usefixtures("valkey", "first_probe")

wide = QueueDef(name="test", concurrency=10, provider="p")
other = QueueDef(name="test-narrow", concurrency=10, provider="p", priority=6)
OWN, UNKNOWN, PROVIDER, AGAIN = Fault


def release(job: dict[str, str], *, behind: bool) -> None:
    assert redis_client.run(scripts.release("test", job.items(), behind=behind)) == []


def test_breaker_open_starts_nothing_until_the_first_probe():
    put(wide, many=3)
    open_breaker()
    nothing = claim_reply(wide)
    assert nothing.jobs == []
    assert nothing.again_in == pytest.approx(5, abs=0.6)
    for queue in BREAKER_QUEUES:
        counts = redis_client.run(scripts.counts(queue))
        assert counts.outage
        assert counts.cooldown == pytest.approx(5, abs=0.6)


def test_breaker_due_one_job_of_all_queues_starts():
    put(other, many=3)
    jobs = put(wide, many=3)
    open_breaker()
    pass_time(6)
    assert list(claim([wide, other], 9)) == [jobs[0]]
    assert claim([wide, other], 9, "c2") == {}


def test_breaker_due_is_probed_by_the_queue_that_has_jobs():
    jobs = put(other)
    open_breaker()
    pass_time(6)
    assert list(claim([wide, other], 9)) == jobs


def test_breaker_waits_between_probes_grow_to_a_minute():
    put(wide, many=20)
    open_breaker()
    pass_time(6)
    waits = []
    for _ in range(6):
        [probe] = claim(wide, 9)
        verdict = fail(probe)
        assert verdict.fault == AGAIN
        waits.append(verdict.wait)
        pass_time(verdict.wait + 0.1)
    assert waits == pytest.approx([10, 20, 40, 60, 60, 60], rel=0.15)


def test_breaker_probe_whose_worker_died_is_followed_by_the_next():
    """A lost probe needs no repair: the next one starts after its wait."""
    jobs = put(wide, many=3)
    open_breaker()
    pass_time(6)
    assert list(claim(wide, 9)) == [jobs[0]]
    pass_time(11)
    assert list(claim(wide, 9)) == [jobs[1]]


def test_breaker_probe_that_failed_lets_others_pass():
    jobs = put(wide, many=3)
    open_breaker()
    order = []
    for _ in range(4):
        pass_time(70)
        probe = claim(wide, 9)
        order += probe
        fail(next(iter(probe)))
        release(probe, behind=True)
    assert order == [jobs[0], jobs[1], jobs[2], jobs[0]]


def test_breaker_closed_by_a_probe_lets_more_jobs_start_step_by_step():
    put(wide, many=20)
    open_breaker()
    pass_time(20)
    [probe] = claim(wide, 9)
    succeed(probe)
    assert not is_open()
    assert len(claim(wide, 50)) == 0, "one of ten, which still runs"
    pass_time(11)
    assert len(claim(wide, 50)) == 4
    pass_time(10)
    assert len(claim(wide, 50)) == 5


def test_breaker_open_ignores_answers_of_calls_that_started_before():
    open_breaker()
    succeed("c")
    assert is_open()


def test_breaker_open_failures_of_calls_that_started_before_keep_their_place():
    open_breaker()
    verdict = fail("c")
    assert verdict.fault == PROVIDER
    assert verdict.wait == pytest.approx(5, abs=0.6)


def test_breaker_opened_again_soon_goes_on_with_its_waits():
    put(wide, many=9)
    open_breaker()
    for _ in range(3):
        pass_time(70)
        [probe] = claim(wide, 1)
        fail(probe)
    pass_time(70)
    [probe] = claim(wide, 1)
    succeed(probe)
    assert faults("wxyz")[-1] == PROVIDER
    assert claim_reply(wide).again_in == pytest.approx(60, rel=0.15)


def test_breaker_watched_jobs_are_marked():
    put(wide, many=2)
    assert [job.watched for job in claim_reply(wide, 1).jobs] == [False]
    fail("a", "maybe")
    [job] = claim_reply(wide, 1).jobs
    assert job.watched
    assert 0 <= job.waited < 30


def test_breaker_without_failures_for_long_is_forgotten():
    put(wide, many=2)
    fail("a")
    pass_time(121)
    assert state() == {}
    assert [job.watched for job in claim_reply(wide, 1).jobs] == [False]
    assert not redis_client.client().hexists(scripts.queue_key("test", "meta"), "breaker")


def test_breaker_lost_by_redis_is_closed():
    """The breaker may be lost: a few failures bring it back."""
    put(wide, many=3)
    open_breaker()
    redis_client.client().delete(scripts.key("breaker:p"))
    redis_client.client().hdel(scripts.queue_key("test", "meta"), "cooldown")
    assert len(claim(wide, 9)) == 3


def test_clock_set_back_does_not_keep_breaker_open():
    put(wide)
    open_breaker()
    pass_time(-3600)
    again_in = claim_reply(wide).again_in
    assert again_in is not None
    assert again_in <= 6


def test_breaker_of_another_provider_leaves_queue_alone():
    limited = QueueDef(name="test-limited", concurrency=2)
    put(limited)
    open_breaker()
    assert len(claim(limited)) == 1
