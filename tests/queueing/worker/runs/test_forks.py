"""Child processes of handlers are no copies of the worker, and their signals are not its own (E12)."""

import os
import signal
import subprocess
import sys

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: Forks on the event loop while steps of other tasks are due. Prints the ids of the processes that run those.
PROGRAM = """
import asyncio, os
from {package} import new_event_loop
from queueing.worker.runs.forks import separate_children

async def fork():
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    await asyncio.sleep(0)

async def other():
    for _ in range(3):
        print(os.getpid(), flush=True)
        await asyncio.sleep(0)

async def main():
    separate_children(asyncio.get_running_loop())
    print((await asyncio.gather(fork(), other(), other()))[0])

with asyncio.Runner(loop_factory=new_event_loop) as runner:
    print(os.getpid(), flush=True)
    runner.run(main())
"""


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


@pytest.mark.parametrize("package", ["asyncio", "uvloop"])
def test_child_that_comes_back_to_the_event_loop_runs_no_step_of_others(package):
    program = PROGRAM.format(package=package)
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    pid, *steps, code = printed.stdout.split()
    assert (set(steps), len(steps), code) == ({pid}, 6, "70")


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
