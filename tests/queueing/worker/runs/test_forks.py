"""Child processes of handlers are no copies of the worker, and their signals are not its own (E12)."""

import os
import signal

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_children_of_handlers_end_and_their_worker_goes_on(qcluster, valkey):
    cluster = qcluster()
    workers = cluster.workers()
    neighbour = submit("test.sleep", {"seconds": 600}).job
    wait_until(lambda: valkey.client.llen("note:sleep:started"), "the neighbour to start")
    for kind in ("test.pool", "test.executor"):
        assert finished(submit(kind, {}).job).result == [1, 4, 9], kind
    assert finished(submit("test.terminated", {}).job).result == [-signal.SIGTERM, -signal.SIGTERM]
    codes = {"return": 0, "exit": 3, "raise": 1, "kill": -signal.SIGTERM}
    for kind in ("test.fork", "test.fork-async"):
        for way, code in codes.items():
            assert finished(submit(kind, {"way": way}).job).result == code, (kind, way)
    assert finished(submit("test.fork-async", {"way": "wait"}).job).result == 70
    assert cluster.workers() == workers
    neighbour.refresh_from_db()
    assert (neighbour.state, neighbour.run_count) == (State.ACTIVE, 1)
    assert set(Job.objects.exclude(id=neighbour.id).values_list("run_count", flat=True)) == {1}
    verbs.cancel(neighbour.id)


@pytest.mark.slow
def test_child_process_left_behind_does_not_delay_the_stop(qcluster):
    cluster = qcluster()
    child = finished(submit("test.leave-child-process", {}).job).result
    job = submit("test.sleep", {"seconds": 600}).job
    wait_until(lambda: Job.objects.filter(id=job.id, state=State.ACTIVE).exists(), "the start")
    assert cluster.stop(15) == 0
    os.kill(child, signal.SIGKILL)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.WAITING, 0)
    assert "did not stop" not in cluster.log.read_text()
