"""One worker, run inside the test process: what it does when a part of it breaks."""

import asyncio
import os
import signal

import pytest
from asgiref.sync import sync_to_async

from queueing.conf import get_queue
from queueing.schedule import redis_client, scripts
from queueing.worker.liveness.identity import Identity
from queueing.worker.process import Worker
from tests.queueing.schedule.operations import put, token
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def restored_signal_handlers():
    """A worker replaces the process's signal handlers; restore them."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


async def test_worker_with_a_broken_part_exits_with_an_error(monkeypatch, caplog):
    def broken(*args):
        raise RuntimeError("a bug")

    monkeypatch.setattr(scripts, "claim", broken)
    with pytest.raises(SystemExit) as ended:
        await Worker(Identity(cluster="c")).run()
    assert ended.value.code == 1
    assert "a part of the worker broke" in caplog.text


async def test_worker_without_supervisor_stops():
    read_end, write_end = os.pipe()
    await Worker(
        Identity(cluster="c", supervisor_pipe=(read_end, write_end))
    ).run()  # it closes its own copy, the only one
    os.close(read_end)


async def test_stopping_worker_leaves_the_list_of_idle_workers(valkey):
    """A submission hands no job to a worker that only finishes what it has."""
    worker = Worker(Identity(cluster="c"))
    running = asyncio.create_task(worker.run())
    await eventually(lambda: valkey.client.hlen(scripts.key("idle")), "it to be listed")
    worker.stopping.set()
    await running
    assert valkey.client.hgetall(scripts.key("idle")) == {}


async def test_stopping_worker_gives_back_a_job_handed_to_it(valkey):
    queue, mine = get_queue("test"), token()
    (job,) = await sync_to_async(put)(queue)
    await redis_client.arun(scripts.claim([queue], mine, 1))
    worker = Worker(Identity(cluster="c1"))
    worker.stopping.set()
    worker._on_job(mine, "test", job, 0, False)
    assert worker.claimer.claims == {}, "the job is not started"
    await eventually(
        lambda: redis_client.run(scripts.positions("test", [job]))[0].state == "waiting",
        "its return",
    )
    assert not valkey.client.hgetall("{buddy}:claims")
    await redis_client.aclose()
