"""What must hold of a breaker after any history (K3, K4, O1)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queueing.schedule import redis_client
from queueing.schedule.scripts import Fault

from .breaker_operations import fail, is_open, pass_time, report, succeed

pytestmark = pytest.mark.usefixtures("valkey")

causes = st.sampled_from(["outage", "maybe"])
#: Good answers in some number, and time that passes, in seconds.
quiet = st.one_of(
    st.tuples(st.just("good"), st.integers(1, 50)), st.tuples(st.just("pass"), st.floats(0.1, 150))
)
#: Failures of one and the same job among them.
history_of_one_failing = st.lists(st.one_of(quiet, st.tuples(st.just("fail"), causes)), max_size=30)


def play(history: list[tuple[str, object]]) -> None:
    """Make the history happen to a new breaker."""
    redis_client.client().flushall()
    for what, much in history:
        match what:
            case "good":
                report(good=much)
            case "pass":
                pass_time(much)
            case "fail":
                fail("poison", much)


@settings(deadline=None, max_examples=60)
@given(history_of_one_failing)
def test_one_failing_job_never_opens_the_breaker(history):
    play(history)
    assert not is_open()


@settings(deadline=None, max_examples=60)
@given(history_of_one_failing)
def test_outage_opens_the_breaker_after_four_calls_at_most(history):
    play(history)
    calls = [fail(f"job{number}") for number in range(4)]
    assert is_open()
    assert all(call.fault != Fault.OWN for call in calls), "no attempt is spent"


@settings(deadline=None, max_examples=60)
@given(history_of_one_failing, st.lists(st.sampled_from(["w", "x", "y", "z"]), min_size=8, max_size=20))
def test_failed_jobs_wait_until_a_probe_succeeds(history, jobs):
    """While nothing is answered, no job that certainly met the outage is at fault."""
    play(history)
    assert all(fail(job).fault != Fault.OWN for job in jobs)
    redis_client.client().hset("{buddy}:breaker:p", "p:probe", 1)
    succeed("probe")
    assert not is_open()


@settings(deadline=None, max_examples=60)
@given(history_of_one_failing)
def test_job_that_fails_while_others_are_answered_is_at_fault(history):
    play([*history, ("fail", "outage"), ("good", 1)])
    assert fail("poison").fault == Fault.OWN
    assert not is_open()
