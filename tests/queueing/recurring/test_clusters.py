"""Recurring jobs with real clusters: exactly once over all of them, also when processes are killed."""

import json
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from queueing.models import Job, RecurringJob, RecurringTick
from queueing.recurring import verbs
from queueing.recurring.definition import Definition
from queueing.states import State
from queueing.submit import submit
from tests.queueing.testapp.models import Written
from tests.support.clock import WallClock
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def each_second(**values) -> RecurringJob:
    """Store a recurring job that is due each second, and that makes up for all that it misses."""
    given = {"name": "r", "kind": "test.echo", "args": {"text": "x"}, "every": 1, "time_zone": "UTC"}
    return verbs.store(Definition(**given | {"missed": "all", "overlap": "allow", "grace": 600} | values))


def submitted(row: RecurringJob) -> int:
    return RecurringTick.objects.filter(recurring=row, outcome="submitted").count()


def check_each_tick_ran_once(row: RecurringJob) -> None:
    """Pause, wait for the jobs, and compare the history with the clock, the jobs and what they wrote."""
    verbs.pause(row.name)
    wait_until(lambda: not Job.objects.filter(finished_at=None).exists(), "the jobs to end", 60)
    entries = list(RecurringTick.objects.filter(recurring=row).order_by("tick"))
    assert {entry.outcome for entry in entries} == {"submitted"}
    first, last = entries[0].tick, entries[-1].tick
    assert [e.tick for e in entries] == [first + timedelta(seconds=n) for n in range(len(entries))], "no gap"
    assert last <= datetime.now(UTC) + timedelta(seconds=31)
    jobs = {job.id: job for job in Job.objects.all()}
    assert {entry.job_id for entry in entries} == set(jobs)
    assert len(jobs) == len(entries)
    assert {job.state for job in jobs.values()} == {State.COMPLETED}
    assert sorted(job_id.hex for job_id in jobs) == sorted(Written.objects.values_list("job_id", flat=True))


@pytest.mark.slow
def test_ticks_of_two_clusters_run_once_also_when_the_worker_that_looks_is_killed(qcluster, valkey):
    """The first cluster declares a recurring job, which the code of the second one does not have."""
    clusters = [qcluster(TEST_RECURRING="3600")]
    row = each_second()
    wait_until(lambda: RecurringJob.objects.filter(name="test.declared", from_code=True).exists(), "it")
    clusters.append(qcluster())
    wait_until(lambda: RecurringJob.objects.get(name="test.declared").left_code, "its pause")
    wait_until(lambda: submitted(row) >= 2, "two ticks")
    leader = valkey.client.get("{buddy}:reconciler")
    for cluster in clusters:
        if leader and leader.startswith(cluster_name(valkey, cluster.workers()[0])):
            os.kill(cluster.workers()[0], signal.SIGKILL)
    before = submitted(row)
    wait_until(lambda: submitted(row) >= before + 2, "two more")
    check_each_tick_ran_once(row)


def cluster_name(valkey, pid: int) -> str:
    """Return the id of a worker by its process."""
    beats = [json.loads(text) for text in valkey.client.hvals("{buddy}:workers")]
    return next((beat["id"] for beat in beats if beat["pid"] == pid), "none")


def test_handler_reads_the_tick_and_a_tick_without_redis_is_kept(qcluster, valkey):
    qcluster(TEST_RECURRING="3600")
    row = each_second(kind="test.tick", args={}, every=1)
    wait_until(lambda: Job.objects.filter(state=State.COMPLETED).count() >= 1, "a tick")
    valkey.stop()
    assert RecurringJob.objects.filter(name="test.declared", from_code=True).exists(), (
        "the cluster has stored it"
    )
    before = submitted(row)
    wait_until(lambda: submitted(row) >= before + 2, "ticks without Redis")
    valkey.start()
    verbs.pause("r")
    wait_until(lambda: not Job.objects.filter(finished_at=None).exists(), "the jobs to end")
    for job in Job.objects.all():
        assert job.result == {"tick": job.meta["tick"], "recurring": "r"}


@pytest.mark.slow
def test_clusters_whose_clocks_differ_run_each_tick_once(qcluster, tmp_path, valkey):
    ahead = WallClock(tmp_path / "ahead")
    ahead.step_to(30)
    qcluster(TEST_CLOCK=str(ahead.path))
    row = each_second()
    wait_until(lambda: submitted(row) >= 20, "the ticks that are early")
    other = qcluster()
    wait_until(lambda: valkey.client.hlen("{buddy}:workers") == 2, "two workers")
    before = submitted(row)
    wait_until(lambda: submitted(row) >= before + 2, "more ticks")
    assert other.exit_code is None
    check_each_tick_ran_once(row)


@pytest.mark.slow
def test_random_kills_lose_and_repeat_no_tick(qcluster, valkey):
    """Workers and Redis die at random; two clusters, three recurring jobs."""
    clusters = [qcluster(QUEUE_WORKERS="2"), qcluster(QUEUE_WORKERS="2")]
    row = each_second()
    dice, ends = random.Random(2), time.monotonic() + 25
    kills, next_kill = 0, 0.0

    def kill_from_time_to_time() -> bool:
        nonlocal kills, next_kill
        if time.monotonic() >= next_kill and (pids := dice.choice(clusters).workers()):
            if dice.random() < 0.2:
                valkey.client.flushall()
            os.kill(dice.choice(pids), signal.SIGKILL)
            kills, next_kill = kills + 1, time.monotonic() + 0.7
        return time.monotonic() > ends

    wait_until(kill_from_time_to_time, "the killing", 60)
    assert kills >= 15
    assert submit("test.noop", {}).created
    before = submitted(row)
    wait_until(lambda: submitted(row) >= before + 3, "ticks afterwards", 60)
    verbs.pause("r")
    wait_until(lambda: not Job.objects.filter(finished_at=None).exists(), "the jobs to end", 90)
    entries = list(RecurringTick.objects.filter(recurring=row).order_by("tick"))
    assert [e.tick for e in entries] == [entries[0].tick + timedelta(seconds=n) for n in range(len(entries))]
    ids = [str(job_id) for job_id in Job.objects.filter(kind="test.echo").values_list("id", flat=True)]
    assert sorted(str(entry.job_id) for entry in entries) == sorted(ids)
