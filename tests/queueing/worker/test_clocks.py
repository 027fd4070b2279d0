"""Clocks that jump or differ: how long things take never depends on the wall clock (E11)."""

import os
import signal
import time

import pytest

from queueing.models import Job
from queueing.schedule import scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.support.clock import WallClock
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600.0


@pytest.fixture
def clock(tmp_path):
    """The wall clock of the clusters that are started with `TEST_CLOCK=str(clock.path)`."""
    return WallClock(tmp_path / "clock")


def beats(valkey) -> list[str]:
    """Return the workers' heartbeats, which change each time."""
    return sorted(valkey.client.hvals(scripts.key("workers")))


def some_beats(valkey, number: int = 3) -> None:
    """Wait until the workers have sent some heartbeats."""
    for _ in range(number):
        before = beats(valkey)
        wait_until(lambda before=before: beats(valkey) != before, "another heartbeat")


@pytest.mark.parametrize("step", [2 * HOUR, -HOUR])
def test_wall_clock_stepped_while_jobs_run_kills_no_worker_and_no_job(qcluster, valkey, clock, step):
    cluster = qcluster(TEST_CLOCK=str(clock.path), QUEUE_TEST_TIMEOUT="60")
    workers = cluster.workers()
    jobs = [submit("test.sleep", {"seconds": 2}, owner="alice").job for _ in range(3)]
    wait_until(lambda: valkey.client.llen("note:sleep:started") == 3, "the jobs to start")
    clock.step_to(step)
    some_beats(valkey)
    for job in jobs:
        assert finished(job).state == State.COMPLETED
        assert (job.run_count, job.stalls) == (1, 0)
    assert cluster.workers() == workers
    durations = [int(ms) for ms in valkey.client.lrange(scripts.queue_key("test", "durations"), 0, -1)]
    assert all(1900 < ms < 20_000 for ms in durations), "a run takes as long as it takes"


def test_timeout_after_wall_clock_set_back_still_ends_the_run(qcluster, valkey, clock):
    qcluster(TEST_CLOCK=str(clock.path))
    job = submit("test.narrow", {"seconds": 60}).job
    wait_until(lambda: valkey.client.llen("note:narrow:started"), "the job to start")
    clock.step_to(-HOUR)
    assert finished(job).error_code == "timeout"


def test_workers_with_clocks_that_differ_see_each_other_and_repeat_no_job(qcluster, valkey, clock, tmp_path):
    qcluster(TEST_CLOCK=str(clock.path))
    other = WallClock(tmp_path / "other")
    other.step_to(-300)
    qcluster(TEST_CLOCK=str(other.path))
    wait_until(lambda: valkey.client.hlen(scripts.key("workers")) == 2, "two workers")
    jobs = submit_many("test.sleep", [{"seconds": 0.5}] * 40)
    some_beats(valkey)
    assert valkey.client.hlen(scripts.key("workers")) == 2, "neither removes the other's heartbeat"
    for job in jobs:
        assert finished(job).state == State.COMPLETED
        assert (job.run_count, job.stalls) == (1, 0)


def test_leases_that_all_expire_at_once_take_no_job_from_living_workers(qcluster, valkey):
    """The clock of Redis is set forward, or Redis was away for longer than a lease."""
    qcluster()
    qcluster()
    wait_until(lambda: valkey.client.hlen(scripts.key("workers")) == 2, "two workers")
    jobs = [submit("test.sleep", {"seconds": 2}).job for _ in range(20)]
    wait_until(lambda: valkey.client.llen("note:sleep:started") == 20, "the jobs to start")
    active = scripts.queue_key("test", "active")
    for _ in range(3):
        for job_id in valkey.client.zrange(active, 0, -1):
            valkey.client.zincrby(active, -120_000, job_id)
        some_beats(valkey, 1)
    for job in jobs:
        assert finished(job).state == State.COMPLETED
        assert (job.run_count, job.stalls) == (1, 0)


def test_worker_suspended_for_longer_than_its_lease_changes_nothing_afterwards(qcluster, valkey):
    first = qcluster()
    (suspended,) = first.workers()
    job = submit("test.sleep", {"seconds": 2}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the job to start")
    os.kill(suspended, signal.SIGSTOP)
    qcluster()
    wait_until(lambda: valkey.client.llen("note:sleep:started") == 2, "another worker to run it")
    os.kill(suspended, signal.SIGCONT)
    job = finished(job)
    assert (job.state, job.run_count, job.stalls) == (State.COMPLETED, 2, 1)
    assert valkey.client.llen("note:sleep:ended") <= 2
    some_beats(valkey)
    assert first.workers() == [suspended], "the supervisor did not kill it"
    assert finished(submit("test.echo", {"text": "x"}).job).state == State.COMPLETED


def test_suspended_cluster_keeps_its_workers_when_it_goes_on(qcluster, valkey):
    """A frozen container or a suspended laptop: the supervisor must not take the pause for a dead worker."""
    cluster = qcluster(TEST_CONSTANTS="queueing.worker.supervisor._BLOCKED_AFTER=1")
    workers = cluster.workers()
    some_beats(valkey, 1)
    for pid in [cluster.pid, *workers]:
        os.kill(pid, signal.SIGSTOP)
    resumes = time.monotonic() + 2.5
    wait_until(lambda: time.monotonic() > resumes, "a while")
    for pid in [cluster.pid, *workers]:
        os.kill(pid, signal.SIGCONT)
    some_beats(valkey)
    assert cluster.workers() == workers


def test_delay_after_clock_of_redis_set_back_is_as_long_as_before(qcluster, valkey):
    """The times in Redis are then an hour ahead, as is the last time that it was seen to have."""
    qcluster()
    job = submit("test.noop", {}, delay=1.0).job
    clock = scripts.queue_key("test", "meta"), "clock"
    wait_until(lambda: valkey.client.hexists(*clock), "the time to be noted")
    valkey.client.hincrby(*clock, int(HOUR * 1000))
    valkey.client.zincrby(scripts.queue_key("test", "delayed"), HOUR * 1000, job.id.hex)
    assert finished(job).state == State.COMPLETED
    assert Job.objects.get().run_count == 1
