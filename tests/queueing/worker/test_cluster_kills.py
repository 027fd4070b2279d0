"""Killed processes: every accepted job still ends exactly once, and the cluster continues."""

import json
import os
import random
import signal
import time

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.testapp.models import Written
from tests.support.valkey import wait_until

from .test_end_to_end import finished

pytestmark = pytest.mark.django_db(transaction=True)


def all_written_once(jobs):
    ids = [job.id for job in jobs]
    wait_until(lambda: not Job.objects.filter(id__in=ids, finished_at=None).exists(), "all jobs", 60)
    assert set(Job.objects.filter(id__in=ids).values_list("state", flat=True)) == {State.COMPLETED}
    written = list(Written.objects.values_list("job_id", flat=True))
    assert len(written) == len(set(written)) == len(jobs)


def test_idle_worker_killed_is_replaced(qcluster):
    cluster = qcluster()
    for _ in range(3):
        finished(submit("test.echo", {"text": "before"}).job)
        (pid,) = cluster.workers()
        os.kill(pid, signal.SIGKILL)
        finished(submit("test.echo", {"text": "after"}).job)
        assert cluster.workers() != [pid]


def test_all_workers_killed_at_once_are_replaced(qcluster):
    cluster = qcluster(QUEUE_WORKERS="3")
    wait_until(lambda: len(cluster.workers()) == 3, "three workers")
    for pid in cluster.workers():
        os.kill(pid, signal.SIGKILL)
    all_written_once(submit_many("test.echo", [{"text": "x"}] * 20))


@pytest.mark.slow
def test_workers_without_supervisor_stop_and_release_their_jobs(qcluster, valkey):
    cluster = qcluster()
    job = submit("test.sleep", {"seconds": 5}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the job to start")
    workers = cluster.workers()
    os.kill(cluster.pid, signal.SIGKILL)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), "the workers to stop")
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 0)
    qcluster()
    all_written_once([job])


@pytest.mark.slow
def test_jobs_of_a_killed_supervisor_run_in_another_cluster(qcluster, valkey):
    killed = qcluster(QUEUE_WORKERS="2")
    jobs = [submit("test.sleep", {"seconds": 60}).job for _ in range(4)]
    wait_until(lambda: valkey.client.llen("note:sleep:started") == 4, "the jobs to start")
    other = qcluster()
    wait_until(lambda: valkey.client.hlen("{buddy}:workers") == 3, "the other cluster")
    os.kill(killed.pid, signal.SIGKILL)
    at = time.monotonic()
    wait_until(lambda: valkey.client.llen("note:sleep:started") == 8, "all to run again")
    took = time.monotonic() - at
    print(f"running elsewhere after {took:.2f} s")
    assert took < 3  # the grace time of 2 s and a little more: no lease had to expire
    (worker,) = other.workers()
    for job in jobs:
        job = verbs.cancel(job.id)
        assert job.token.startswith(worker_id(valkey, worker))
        assert (job.attempts, job.stalls) == (1, 0)


def worker_id(valkey, pid):
    """Return the id under which the worker process claims."""
    heartbeats = [json.loads(text) for text in valkey.client.hvals("{buddy}:workers")]
    return next(beat["id"] for beat in heartbeats if beat["pid"] == pid)


@pytest.mark.slow
def test_random_kills_lose_and_repeat_no_job(qcluster):
    clusters = [qcluster(QUEUE_WORKERS="2"), qcluster(QUEUE_WORKERS="2")]
    jobs = submit_many("test.rest", [{"seconds": 0.2}] * 600)
    dice, ends = random.Random(1), time.monotonic() + 15
    kills = 0
    next_kill = 0.0

    def kill_now_and_then() -> bool:
        nonlocal kills, next_kill
        if time.monotonic() >= next_kill and (pids := dice.choice(clusters).workers()):
            os.kill(dice.choice(pids), signal.SIGKILL)
            kills, next_kill = kills + 1, time.monotonic() + 1.5
        return time.monotonic() > ends

    wait_until(kill_now_and_then, "a while of killing")
    assert kills >= 5
    ids = [job.id for job in jobs]
    wait_until(lambda: not Job.objects.filter(id__in=ids, finished_at=None).exists(), "all jobs", 90)
    states = list(Job.objects.filter(id__in=ids).values_list("state", "error_code"))
    # A job may lose three workers by chance; nothing else may fail.
    assert set(states) <= {(State.COMPLETED, ""), (State.FAILED, "stalled")}
    written = list(Written.objects.values_list("job_id", flat=True))
    assert len(written) == len(set(written)) == 600


@pytest.mark.slow
def test_redis_killed_under_load_loses_and_repeats_no_job(qcluster, valkey):
    qcluster()
    jobs = submit_many("test.rest", [{"seconds": 0.1}] * 500)
    for _ in range(3):
        done = Written.objects.count()
        wait_until(lambda done=done: Written.objects.count() > done + 20, "some progress", 30)
        valkey.stop()
        late = submit("test.rest", {"seconds": 0.1}).job
        jobs.append(late)
        valkey.start()
    all_written_once(jobs)


@pytest.mark.slow
def test_redis_flushed_under_load_loses_and_repeats_no_job(qcluster, valkey):
    qcluster()
    jobs = submit_many("test.rest", [{"seconds": 0.1}] * 500)
    for _ in range(5):
        done = Written.objects.count()
        wait_until(lambda done=done: Written.objects.count() > done + 10, "some progress", 30)
        valkey.client.flushall()
    all_written_once(jobs)
