"""Nodes of a Redis Cluster die (K2): the engine finds living ones by itself, and loses nothing."""

import asyncio
import time
from contextlib import suppress

import pytest
from channels.layers import get_channel_layer

from queueing.models import Job
from queueing.schedule import redis_client, scripts
from queueing.schedule.server import server
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_end_to_end import finished
from tests.support.redis_cluster import Nodes
from tests.support.valkey import point_at, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def other_primary(nodes: Nodes):
    """Return a primary that holds none of the engine's keys."""
    return next(node for node in nodes.nodes[:3] if node is not nodes.owner())


def test_cluster_node_of_the_url_dies_jobs_start_at_once(nodes_with_replicas, qcluster, settings):
    """The URL names one node only, which the engine needs for nothing."""
    nodes, named = nodes_with_replicas, other_primary(nodes_with_replicas)
    point_at(settings, f"redis+cluster://127.0.0.1:{named.port}/0")
    qcluster()
    assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
    named.stop()
    for _ in range(5):
        began = time.monotonic()
        assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED
        assert time.monotonic() - began < 10
    assert nodes.owner().process


def test_cluster_node_of_the_url_is_dead_at_the_start_of_a_process(nodes_with_replicas, qcluster):
    """The URL names all nodes; a cluster of workers and this process start without the first."""
    nodes_with_replicas.nodes[0].stop()
    qcluster()
    assert finished(submit("test.noop", {}, owner="alice").job).state == State.COMPLETED


async def test_channel_layer_survives_each_dead_node(nodes_with_replicas):
    """K2: sockets that are open hear what is sent after a failover, and new ones open."""
    layer = get_channel_layer()
    old = await layer.new_channel()
    await layer.group_add("group", old)
    owner = nodes_with_replicas.owner()
    owner.stop()
    began = time.monotonic()
    new = await layer.new_channel()
    await layer.group_add("group", new)
    while not (layer.channels[old].qsize() and layer.channels[new].qsize()):
        assert time.monotonic() - began < 15, "back within 10 s of the failover"
        with suppress(*redis_client.Unavailable):
            await layer.group_send("group", {"type": "test"})
        await asyncio.sleep(0.1)
    await layer.flush()
    await redis_client.aclose()


def test_cluster_nodes_that_die_in_turn_under_load_lose_no_job(nodes_with_replicas, qcluster):
    """K2: kill a node, wait until work goes on, start it again as a replica; with each of the six."""
    qcluster()
    jobs: list[Job] = []
    for node in nodes_with_replicas.nodes:
        jobs += submit_many("test.rest", [{"seconds": 0.05}] * 100, owner="alice")
        node.stop()
        died = time.monotonic()
        jobs.append(submit("test.noop", {}, owner="bob").job)
        assert finished(jobs[-1]).state == State.COMPLETED
        print(f"work went on after {time.monotonic() - died:.1f} s")
        assert time.monotonic() - died < 20
        node.start()
        wait_until(lambda: len(nodes_with_replicas.replicas()) == 3, "three replicas in step")
    for job in jobs:
        assert finished(job).state == State.COMPLETED
    wait_until(lambda: not server().is_unavailable, "an answer")
    counts = redis_client.run(scripts.counts("test"))
    assert (counts.waiting, counts.active, counts.delayed) == (0, 0, 0)
