"""Connections that break, freeze or lead to the wrong server (E1, E6, E9, E18)."""

import asyncio
import threading
import time

import pytest
from channels.layers import get_channel_layer

from queueing.control import verbs
from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.schedule.connections import CALL_TIMEOUT
from queueing.schedule.server import server
from queueing.states import State
from queueing.submit import submit
from tests.support.proxy import Proxy
from tests.support.valkey import point_at, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def waits(act) -> float:
    """Return the seconds that `act` takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def in_threads(number: int, act) -> None:
    """Call `act` in as many threads at once."""
    threads = [threading.Thread(target=act) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def count() -> object:
    return redis_client.run(scripts.counts("test"))


def test_redis_without_answers_is_waited_for_once(proxy):
    """E18: the first call waits, the others fail at once, whichever part of the engine makes them."""
    job = submit("test.noop", {}, owner="alice").job
    proxy.hang()
    assert CALL_TIMEOUT <= waits(lambda: submit("test.noop", {}, owner="alice")) < CALL_TIMEOUT + 2
    all_others = waits(lambda: [submit("test.noop", {}, owner="alice") for _ in range(20)])
    assert all_others + waits(lambda: verbs.cancel(job.id)) < CALL_TIMEOUT
    assert Job.objects.filter(state=State.WAITING).count() == 21


def test_redis_that_answers_again_is_noticed(proxy):
    """E18: a probe in the background finds it, so that no caller waits for that."""
    proxy.hang()
    with pytest.raises(redis_client.Unavailable):
        count()
    assert server().is_unavailable
    proxy.recover()
    wait_until(lambda: not server().is_unavailable, "the probe to get an answer")
    count()


async def test_redis_without_answers_is_waited_for_once_on_a_loop(proxy):
    """E18: calls at the same time wait together; calls after them do not wait."""
    await redis_client.aclient().ping()
    proxy.hang()

    async def fails() -> None:
        with pytest.raises(redis_client.Unavailable):
            await redis_client.arun(scripts.counts("test"))

    began = time.monotonic()
    await asyncio.gather(*(fails() for _ in range(100)))
    for _ in range(50):
        await fails()
        with pytest.raises(redis_client.Unavailable):
            await redis_client.aclient().get("a")
    assert time.monotonic() - began < CALL_TIMEOUT + 2
    await redis_client.aclose()


def test_frozen_connections_cost_one_wait(proxy):
    """E1: open connections freeze, new ones work: the first call finds out for all of them."""
    in_threads(8, count)
    proxy.freeze()
    with pytest.raises(redis_client.Unavailable):
        count()
    wait_until(lambda: not server().is_unavailable, "a new connection")
    assert waits(lambda: [count() for _ in range(20)]) < CALL_TIMEOUT


def test_restarted_redis_costs_no_call(valkey):
    """Idle connections that broke are replaced, all of them."""
    in_threads(8, count)
    valkey.stop()
    valkey.start()
    for _ in range(10):
        count()
    assert redis_client.client().ping()


def test_slow_redis_works(valkey, settings):
    """A server that is 50 ms distant in each direction is not unavailable."""
    slow = Proxy(valkey.port, delay=0.05)
    point_at(settings, valkey.url.replace(f":{valkey.port}", f":{slow.port}"))
    job = submit("test.noop", {}, owner="alice")
    assert job.queued_event["position"] == 1
    assert not server().is_unavailable
    slow.close()


def test_demoted_primary_is_left(valkey, settings):
    """E6: a server that became a replica refuses writes on connections that stay open."""
    count()
    submit("test.noop", {})
    generation = server().generation
    valkey.client.replicaof("127.0.0.1", 1)
    try:
        submit("test.noop", {})
        assert server().generation > generation, "all connections are made again"
    finally:
        valkey.client.replicaof("NO", "ONE")
    submit("test.noop", {})
    assert redis_client.run(scripts.counts("test")).waiting == 2
    assert Job.objects.count() == 3


def clients(valkey) -> int:
    return len(valkey.client.client_list())


def test_synchronous_submissions_leave_no_connections(valkey):
    """E9: each submission with an owner uses a short event loop."""
    submit("test.noop", {}, owner="alice")
    before = clients(valkey)
    for _ in range(30):
        submit("test.noop", {}, owner="alice")
    wait_until(lambda: clients(valkey) <= before + 1, "the connections to be closed", timeout=2)


def test_short_event_loops_leave_no_connections(valkey):
    """E9: also those of plain commands and of the channel layer."""

    async def visit() -> None:
        await redis_client.aclient().get("a")
        await redis_client.arun(scripts.counts("test"))
        layer = get_channel_layer()
        await layer.group_add("group", await layer.new_channel())
        await layer.group_send("group", {"type": "test"})

    count()
    before = clients(valkey)
    for _ in range(20):
        asyncio.run(visit())
    wait_until(lambda: clients(valkey) <= before + 1, "the connections to be closed", timeout=2)


def test_short_threads_leave_no_connections(valkey):
    """E9: threads share the connections of the process, of which few are kept."""
    count()
    before = clients(valkey)
    for _ in range(3):
        threads = [
            threading.Thread(target=lambda: (count(), redis_client.client().ping())) for _ in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    wait_until(lambda: clients(valkey) <= before + 60, "few connections", timeout=2)
