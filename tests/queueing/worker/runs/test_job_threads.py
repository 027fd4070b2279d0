"""Plain functions that run on after their timeout cost their own slot, and no other job (E7)."""

import pytest
from django_q.models import Failure
from django_q.tasks import async_task

from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import scripts
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_clusters import max_at_once
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: Seconds from the stop of a run after which its function counts as hung.
SOON = "queueing.worker.runs.job_threads._STOP_TIMEOUT=0.5"


def test_many_hanging_functions_delay_no_other_plain_function(qcluster, valkey):
    """More of them than any fixed number of threads; the jobs behind them time out unless they begin."""
    qcluster(QUEUE_TEST_NARROW_CONCURRENCY="40", QUEUE_TEST_TIMEOUT="1")
    hanging = submit_many("test.hang-narrow", [{}] * 40)
    wait_until(lambda: valkey.client.llen("note:narrow:started") == 40, "all to start at once")
    for job in submit_many("test.sync", [{"n": 2}] * 3):
        assert finished(job).result["square"] == 4
        assert job.attempts == 1
    assert {finished(job).error_code for job in hanging} == {"timeout"}


def test_hanging_functions_keep_their_slots_until_their_worker_is_replaced(qcluster, valkey):
    cluster = qcluster(TEST_CONSTANTS=SOON)
    before = cluster.workers()
    hanging = submit_many("test.hang-narrow", [{}] * 2)
    wait_until(lambda: valkey.client.llen("note:narrow:started") == 2, "both to start")
    later = submit("test.narrow", {}).job
    neighbour = submit("test.sleep", {"seconds": 3}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the neighbour to start")
    assert {finished(job).error_code for job in hanging} == {"timeout"}
    assert valkey.client.zcard(scripts.queue_key("test-narrow", "active")) == 2, "they keep their slots"
    later.refresh_from_db()
    assert later.state == State.WAITING
    reported = '"runningOn": {"test.hang-narrow": 2}'
    workers = scripts.key("workers")
    wait_until(lambda: any(reported in text for text in valkey.client.hvals(workers)), "the figures")
    assert finished(later).state == State.COMPLETED
    assert cluster.workers() != before
    assert finished(neighbour).state == State.COMPLETED
    assert (neighbour.attempts, neighbour.stalls) == (1, 0)
    wait_until(lambda: len(cluster.workers()) == 1, "the first worker to end")
    assert not set(cluster.workers()) & set(before)
    assert "plain functions run on long after their runs were stopped (2 of test.hang-narrow)" in (
        cluster.log.read_text()
    )


def test_function_that_ends_late_gives_its_slot_back_and_its_worker_stays(qcluster, valkey):
    cluster = qcluster()
    before = cluster.workers()
    jobs = submit_many("test.hang-narrow", [{"seconds": 1.5}] * 4)
    for job in jobs:
        assert finished(job).error_code == "timeout"
        assert job.attempts == 1
    wait_until(lambda: valkey.client.llen("note:narrow:ended") == 4, "the functions to end")
    assert max_at_once(valkey) == 2
    assert cluster.workers() == before
    wait_until(lambda: not valkey.client.hlen(scripts.key("claims")), "all slots to be free")


@pytest.mark.slow
def test_retry_of_hanging_function_waits_for_its_end(qcluster, valkey):
    job = submit("test.hang", {"seconds": 2.0}).job
    Job.objects.update(max_attempts=2)
    qcluster(QUEUE_TEST_TIMEOUT="1", QUEUE_TEST_CONCURRENCY="1")
    assert finished(job).error_code == "timeout"
    assert job.attempts == 2
    wait_until(lambda: valkey.client.llen("note:hang:ended") == 2, "both runs to end")
    assert max_at_once(valkey, "hang") == 1


def test_hanging_async_task_keeps_its_slot_and_fails(qcluster, valkey):
    qcluster(QUEUE_DJANGO_Q_CONCURRENCY="1")
    async_task("tests.queueing.testapp.jobs.hang_task", "task", 2.0, timeout=1)
    async_task("tests.queueing.testapp.jobs.hang_task", "other", 0.0)
    wait_until(lambda: valkey.client.llen("note:other:ended"), "the second task")
    [ended] = valkey.client.lrange("note:task:ended", 0, -1)
    [started] = valkey.client.lrange("note:other:started", 0, -1)
    assert float(ended) <= float(started)
    assert Failure.objects.count() == 1


def test_function_of_cancelled_job_keeps_a_slot_of_its_worker(qcluster, valkey):
    qcluster(TEST_SLOTS="1")
    job = submit("test.hang", {"seconds": 2.0}).job
    wait_until(lambda: valkey.client.llen("note:hang:started"), "the function to start")
    verbs.cancel(job.id)
    other = submit("test.hang", {"seconds": 0.1}).job
    assert finished(other).state == State.COMPLETED
    assert max_at_once(valkey, "hang") == 1
    assert Job.objects.get(id=job.id).state == State.CANCELLED
