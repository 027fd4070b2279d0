"""A provider's breaker: when it opens, how it is probed, and how it closes (K3, K4)."""

import pytest

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Fault, ProviderEnd

from .breaker_operations import BREAKER_QUEUES, fail, faults, is_open, pass_time, report, state, succeed
from .operations import claim, claim_reply, finish, put

pytestmark = pytest.mark.usefixtures("valkey", "first_probe")

wide = QueueDef(name="test", concurrency=10, provider="p")
other = QueueDef(name="test-narrow", concurrency=10, provider="p", priority=6)
OWN, UNKNOWN, PROVIDER, AGAIN = Fault


@pytest.fixture
def first_probe(settings):
    settings.QUEUEING = settings.QUEUEING | {"FIRST_PROBE": 5.0}


def open_breaker() -> None:
    fail("a")
    fail("b")
    assert is_open()


def release(job: dict[str, str], *, behind: bool) -> None:
    assert redis_client.run(scripts.release("test", job.items(), behind=behind)) == []


# --- opening ---


def test_breaker_certain_outage_of_two_jobs_opens():
    assert faults("ab") == [UNKNOWN, PROVIDER]
    assert is_open()


def test_breaker_one_job_alone_never_opens():
    """K4, K3: one bad request neither opens it nor holds the line."""
    put(wide)
    for _ in range(20):
        assert fail("a").fault == UNKNOWN
        pass_time(7)
    assert not is_open()
    assert len(claim(wide)) == 1


def test_breaker_uncertain_failures_at_once_open_when_five_failed():
    assert faults("abcde", "maybe") == [OWN, OWN, OWN, PROVIDER, PROVIDER]


def test_breaker_uncertain_failures_over_time_open_with_little_traffic():
    assert faults("ab", "maybe") == [OWN, OWN]
    pass_time(6)
    verdict = fail("a", "maybe")
    assert verdict.fault == PROVIDER
    assert verdict.give_back == 1, "the failures that opened it do not count"
    assert fail("b", "maybe").give_back == 1


def test_breaker_few_failures_among_many_answers_stay_closed():
    """O1, K3: five failures among a thousand answers are nothing."""
    for number in range(5):
        assert fail(f"job{number}", "maybe").fault == OWN
        report(good=200)
        pass_time(5)
    assert not is_open()


def test_breaker_one_percent_failing_at_a_high_rate_stays_closed():
    for number in range(200):
        fail(f"job{number}", "maybe" if number % 2 else "outage")
        report(good=99)
        if number % 10 == 0:
            pass_time(5)
    assert not is_open()


def test_breaker_half_of_many_calls_failing_opens():
    for number in range(5):
        succeed(f"good{number}")
        fail(f"bad{number}", "maybe")
    assert is_open()


def test_breaker_outage_under_load_opens_at_the_fourth_failure():
    report(ProviderEnd("early", "maybe"), good=1000)
    report(good=1)
    assert faults("abcd") == [UNKNOWN, UNKNOWN, UNKNOWN, PROVIDER]


def test_breaker_failure_after_others_were_answered_is_the_jobs_own():
    """K4: a request that fails alone spends its attempts, and fails alone."""
    fail("poison")
    succeed("fine")
    for left in (3, 2, 1):
        assert fail("poison", is_last=left == 1).fault == OWN
    assert not is_open()
    assert "job:poison" not in state()


def test_breaker_answers_between_two_outages_blame_no_job_once_others_fail():
    """K3: it failed in the first outage, others were answered, then the second one begins with its call."""
    fail("a")
    report(good=50)
    assert [fail(name).fault for name in "abaa"] == [OWN, UNKNOWN, UNKNOWN, UNKNOWN]


def test_breaker_answers_of_before_that_are_reported_late_blame_no_second_job():
    """K3: another worker reports its successes with its first failure in the second outage."""
    for name in "ac":
        fail(name)
        report(good=50)
    pass_time(5)
    assert fail("a").fault == OWN
    [verdict] = report(ProviderEnd("c", "outage"), good=50, ago=3)
    assert verdict.fault == UNKNOWN


def test_breaker_second_outage_blames_at_most_its_first_job():
    """K3: many jobs failed in the first outage and wait; the second one meets them all at once."""
    open_breaker()
    for name in "cdef":
        fail(name)
    pass_time(6)
    redis_client.client().hset("{buddy}:breaker:p", "p:probe", 1)
    succeed("probe")
    report(good=50)
    assert faults("cdefcdef").count(OWN) <= 1
    assert is_open()


def test_breaker_earlier_answers_of_others_count_too():
    fail("poison", "maybe")
    pass_time(50)
    [verdict] = report(ProviderEnd("poison", "outage"), good=1, ago=40)
    assert verdict.fault == OWN


def test_breaker_answers_before_an_outage_that_are_reported_late_blame_no_job():
    """K3: another worker reports its successes only with its own first failure."""
    fail("a", is_last=True)
    pass_time(5)
    [verdict] = report(ProviderEnd("b", "outage"), good=50, ago=12)
    assert verdict.fault == UNKNOWN
    assert fail("a", is_last=True).fault != OWN


def test_breaker_late_reports_of_old_answers_end_no_streak():
    report(ProviderEnd("a", "maybe"))
    pass_time(2)
    for name in "bcd":
        [verdict] = report(ProviderEnd(name, "maybe"), good=1, ago=3)
    assert verdict.fault == PROVIDER


def test_breaker_uncertain_failures_of_one_job_with_no_answers_wait_from_the_third_on():
    assert faults("aa", "maybe") == [OWN, OWN]
    pass_time(6)
    third = fail("a", "maybe")
    assert (third.fault, third.give_back) == (UNKNOWN, 2)
    assert not is_open()


def test_breaker_waits_of_a_job_alone_grow():
    waits = []
    for _ in range(8):
        waits.append(fail("a").wait)
        pass_time(1)
    assert waits == [0, 5, 10, 20, 40, 60, 60, 60]


# --- cooldowns ---


def test_breaker_cooldown_of_one_job_opens_for_the_requested_time():
    verdict = fail("a", "cooldown", wait=30)
    assert (verdict.fault, verdict.wait) == (AGAIN, 30)
    for queue in BREAKER_QUEUES:
        counts = redis_client.run(scripts.counts(queue))
        assert counts.cooldown == pytest.approx(30, abs=1)
        assert not counts.outage


def test_breaker_several_cooldowns_longest_wins():
    for wait, longest in ((10, 10), (3, 10), (20, 20)):
        assert fail(f"job{wait}", "cooldown", wait=wait).wait == pytest.approx(longest, abs=1)


def test_breaker_cooldown_again_after_others_were_answered_is_the_jobs_own():
    """K4: one request that always gets 429 holds the line once, then fails alone."""
    poison, fine = put(wide, many=2)
    held = claim(wide)
    assert fail(poison, "cooldown", wait=5).fault == AGAIN
    release(held, behind=True)
    pass_time(5)
    probe = claim(wide, 9)
    assert list(probe) == [fine], "the probe is the next in line"
    succeed(fine)
    finish(wide, probe)
    assert list(claim(wide, 9)) == [poison]
    assert fail(poison, "cooldown", wait=5).fault == OWN
    assert not is_open()


def test_breaker_cooldowns_of_many_jobs_spend_nothing():
    """A provider at its limit refuses many jobs, also twice: none is at fault."""
    for turn in range(5):
        for number in range(4):
            assert fail(f"job{number}", "cooldown", wait=5).fault == AGAIN
        pass_time(6)
        [probe] = claim(wide, 9) or (put(wide, many=5) and claim(wide, 9))
        succeed(probe)
        assert not is_open(), turn


# --- probes ---


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


# --- calls that no queue waits for ---


def admitted(caller: str) -> bool:
    return redis_client.run(scripts.admit("p", caller)) <= 0


def test_admit_without_failures_needs_no_report():
    assert redis_client.run(scripts.admit("p", "x")) < 0
    fail("y", "maybe")
    assert redis_client.run(scripts.admit("p", "x")) == 0


def test_admit_refuses_who_failed_a_moment_ago():
    fail("x", "maybe")
    assert not admitted("x")
    assert admitted("y")
    pass_time(121)
    assert admitted("x")


def test_admit_lets_one_call_at_a_time_through_while_open():
    assert admitted("x")
    open_breaker()
    assert not admitted("x")
    pass_time(6)
    assert admitted("x")
    assert not admitted("y")
    succeed("x")
    assert admitted("y")
