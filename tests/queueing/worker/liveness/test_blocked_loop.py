"""Handlers that block the event loop: they are named, and their neighbours lose nothing (E13, S11)."""

import json

import pytest

from queueing.models import Job
from queueing.schedule import scripts
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def reported(valkey, field):
    """Return a field of all heartbeats that have it."""
    beats = [json.loads(text) for text in valkey.client.hvals(scripts.key("workers"))]
    return [beat[field] for beat in beats if beat.get(field)]


@pytest.mark.parametrize("how", ["sleep", "compute", "lock", "child-sleep", "child-lock"])
def test_kind_that_blocks_the_loop_is_named(qcluster, valkey, how):
    cluster = qcluster()
    assert finished(submit("test.block", {"how": how, "seconds": 0.6}).job).state == State.COMPLETED
    figures = wait_until(
        lambda: [f for f in reported(valkey, "blocking") if "test.block" in f], "its figures"
    )
    assert figures[0]["test.block"]["longest"] >= 0.2
    wait_until(lambda: "test.block blocked the event loop for" in cluster.log.read_text(), "the log line")


def test_kinds_that_await_are_not_named(qcluster):
    cluster = qcluster()
    jobs = [submit("test.echo", {"text": "a b c", "sleep": 0.05}).job for _ in range(50)]
    assert {finished(job).state for job in jobs} == {State.COMPLETED}
    assert "test.echo blocked the event loop" not in cluster.log.read_text()


def test_blocked_loop_takes_no_job_from_its_worker(qcluster, valkey):
    """Blocked for twice the length of a lease, with another worker that looks for lost jobs."""
    qcluster(TEST_SLOTS="6")
    neighbours = [submit("test.rest", {"seconds": 1.0}).job for _ in range(5)]
    wait_until(lambda: Job.objects.filter(state=State.ACTIVE).count() == 5, "the neighbours to start")
    blocker = submit("test.block", {"how": "sleep", "seconds": 6.0}).job
    wait_until(lambda: valkey.client.llen("note:block:started"), "the blocker to start")
    qcluster()
    wait_until(lambda: reported(valkey, "blockedBy"), "the blocker to be named while it blocks")
    assert reported(valkey, "blockedBy")[0]["kind"] == "test.block"
    for job in [*neighbours, blocker]:
        assert finished(job).state == State.COMPLETED
        assert (job.run_count, job.stalls) == (1, 0)


def test_loop_blocked_for_too_long_costs_only_the_blocker_an_attempt(qcluster, valkey):
    neighbours = [submit("test.sleep", {"seconds": 2.5}, owner="alice").job for _ in range(3)]
    blocker = submit("test.block", {"how": "child-compute", "seconds": 60}).job
    Job.objects.filter(id=blocker.id).update(max_attempts=1)
    cluster = qcluster(TEST_CONSTANTS="queueing.worker.liveness.loop_watch.GIVE_UP_AFTER=1")
    before = cluster.workers()
    assert finished(blocker).error_code == "blocked_loop"
    assert "_stop_the_world" in blocker.failed_attempts.get().traceback
    for job in neighbours:
        assert finished(job).state == State.COMPLETED
        assert (job.attempts, job.stalls) == (1, 0)
    assert cluster.workers() != before
