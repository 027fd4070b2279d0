"""Real workers and a provider that fails: nothing is lost, nothing is spent, few calls are made (K3, K4).

`FIRST_PROBE` is 0.4 s here instead of 5 s: 3 s of outage stand for 40 s.
"""

import os
import signal
from collections import Counter
from typing import Any

import pytest

from queueing.conf import get_queue
from queueing.models import FailedAttempt, Job
from queueing.recovery import patience
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.testapp.models import Written
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

FIRST_PROBE = 0.4


def provider_is(valkey: Any, how: str) -> None:
    valkey.client.set("provider", how)


def calls(valkey: Any) -> list[str]:
    """Return the job of each call, in order."""
    return [entry.split(":")[0] for entry in valkey.client.lrange("note:call", 0, -1)]


def call_times(valkey: Any) -> list[float]:
    """Return when each call was made."""
    return [float(entry.split(":")[1]) for entry in valkey.client.lrange("note:call", 0, -1)]


def is_open() -> bool:
    return redis_client.run(scripts.counts("test-provider")).outage


def outcomes(job: Job) -> list[str]:
    return list(job.failed_attempts.values_list("outcome", flat=True))


def ended(jobs: list[Job]) -> Counter[tuple[str, int]]:
    """Wait for the ends of all jobs; return the numbers of (state, attempts)."""
    return Counter((done.state, done.attempts) for done in map(finished, jobs))


def test_outage_is_waited_out_with_few_calls(qcluster, valkey):
    """K3: all are answered when the provider is back, and no attempt is spent."""
    provider_is(valkey, "down")
    jobs = submit_many("test.call", [{}] * 10, owner="alice") + submit_many("test.call-too", [{}] * 5)
    qcluster()
    wait_until(is_open, "the breaker to open")
    while_down = FIRST_PROBE * (1 + 2 + 4)
    wait_until(lambda: call_times(valkey)[-1] - call_times(valkey)[0] > while_down * 0.85, "three probes")
    during = len(calls(valkey))
    provider_is(valkey, "up")
    assert ended(jobs) == {(State.COMPLETED, 1): 15}
    assert during <= 11, "six jobs that start together, what started while they failed, and three probes"
    assert set(FailedAttempt.objects.values_list("outcome", flat=True)) == {"outage"}
    assert not is_open()


def test_outage_of_a_single_job_is_waited_out(qcluster, valkey):
    provider_is(valkey, "down")
    job = submit("test.call-too", {}).job
    qcluster()
    wait_until(lambda: len(calls(valkey)) == 3, "three calls of a job with one attempt")
    provider_is(valkey, "up")
    assert ended([job]) == {(State.COMPLETED, 1): 1}


def test_outage_of_uncertain_failures_is_waited_out(qcluster, valkey):
    provider_is(valkey, "maybe")
    jobs = submit_many("test.call", [{}] * 6)
    qcluster()
    wait_until(is_open, "the breaker to open")
    provider_is(valkey, "up")
    assert {state for state, _ in ended(jobs)} == {State.COMPLETED}


def test_outage_flapping_provider_loses_nothing(qcluster, valkey):
    jobs = submit_many("test.call", [{"seconds": 0.02}] * 60)
    qcluster()
    for turn in range(4):
        provider_is(valkey, "down" if turn % 2 == 0 else "up")
        before = len(calls(valkey))
        wait_until(lambda: len(calls(valkey)) > before + 1, "more calls")  # noqa: B023
    provider_is(valkey, "up")
    assert {state for state, _ in ended(jobs)} == {State.COMPLETED}


@pytest.mark.parametrize(("how", "code"), [("down", "down"), ("maybe", "down"), ("busy", "rate_limited")])
def test_poison_request_fails_alone_and_holds_no_other(qcluster, valkey, how, code):
    """K3, K4: what is wrong with one request alone fails alone, after its own attempts."""
    qcluster()
    poison = submit("test.call", {"how": how}, owner="eve").job
    wait_until(lambda: calls(valkey), "its first call")
    others = submit_many("test.call", [{"seconds": 0.1}] * 40, owner="alice")
    assert finished(poison).state == State.FAILED
    assert poison.error_code == code
    assert calls(valkey).count(poison.id.hex) <= 5
    assert ended(others) == {(State.COMPLETED, 1): 40}
    assert not FailedAttempt.objects.exclude(job=poison).exists()


def test_worker_killed_while_probing_is_followed_by_another_probe(qcluster, valkey):
    provider_is(valkey, "down")
    jobs = submit_many("test.call", [{}] * 5)
    cluster = qcluster()
    wait_until(is_open, "the breaker to open")
    provider_is(valkey, "hang")
    before = len(calls(valkey))
    wait_until(lambda: len(calls(valkey)) > before, "a probe")
    for pid in cluster.workers():
        os.kill(pid, signal.SIGKILL)
    provider_is(valkey, "up")
    assert {state for state, _ in ended(jobs)} == {State.COMPLETED}


def test_redis_flushed_during_outage_spends_nothing(qcluster, valkey):
    """The breaker may be lost: a few calls bring it back."""
    provider_is(valkey, "down")
    jobs = submit_many("test.call", [{}] * 5)
    qcluster()
    wait_until(is_open, "the breaker to open")
    valkey.client.flushall()
    provider_is(valkey, "down")
    wait_until(is_open, "the breaker to open again")
    provider_is(valkey, "up")
    assert ended(jobs) == {(State.COMPLETED, 1): 5}


def test_patience_ends_the_wait_of_all_jobs(qcluster, valkey):
    """K3: up to the queue's patience, then failed with a clear code. Also jobs that never tried."""
    provider_is(valkey, "down")
    jobs = submit_many("test.call-impatient", [{}] * 6, owner="alice")
    qcluster()
    assert {state for state, _ in ended(jobs)} == {State.FAILED}
    assert set(Job.objects.values_list("error_code", flat=True)) == {"provider_down"}
    assert Written.objects.count() == 6
    assert len(set(calls(valkey))) < 6, "some never tried"


def test_fail_waiting_leaves_younger_jobs_alone(valkey):
    submit_many("test.call-impatient", [{}] * 3)
    assert patience.fail_waiting(get_queue("test-impatient")) == []
    assert Job.objects.filter(state=State.WAITING).count() == 3
