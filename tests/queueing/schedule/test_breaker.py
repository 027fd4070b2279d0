"""When a provider's breaker opens, and what cooldowns do (K3, K4)."""

import pytest

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Fault, ProviderEnd

from .breaker_operations import (
    BREAKER_QUEUES,
    fail,
    faults,
    is_open,
    open_breaker,
    pass_time,
    report,
    state,
    succeed,
)
from .operations import claim, finish, put

pytestmark = pytest.mark.usefixtures("valkey", "first_probe")

wide = QueueDef(name="test", concurrency=10, provider="p")
OWN, UNKNOWN, PROVIDER, AGAIN = Fault


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
