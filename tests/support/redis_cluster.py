"""A Redis Cluster of three nodes, or of three with a replica each, as fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.crc import key_slot

from tests.support.valkey import Valkey, free_port, point_at, wait_until

SLOTS = 16384


class Nodes:
    """Three primaries that form a cluster, and `replicas` servers that each replicate one of them."""

    def __init__(self, directory: Path, replicas: int = 0) -> None:
        self.nodes = []
        buses = [free_port() for _ in range(3 + replicas)]
        self.bus = buses[0]
        for number in range(3 + replicas):
            (directory / str(number)).mkdir()
            options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            options += ("--cluster-port", str(buses[number]))
            self.nodes.append(Valkey(directory / str(number), *options, password=""))

    def start(self) -> None:
        """Start them, share out the slots, and wait until all agree."""
        for node in self.nodes:
            node.start()
        for number, node in enumerate(self.nodes[:3]):
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.bus)
        wait_until(self._agree, "the cluster to form")
        for number, node in enumerate(self.nodes[3:]):
            primary = self.nodes[number].client.execute_command("CLUSTER", "MYID")
            wait_until(lambda: _replicates(node, primary), "a replica to know its primary")  # noqa: B023
        wait_until(lambda: len(self.replicas()) == len(self.nodes) - 3, "the replicas to be in step")

    def _agree(self) -> bool:
        known = f"cluster_known_nodes:{len(self.nodes)}"

        def info(node: Valkey) -> str:
            return str(node.client.execute_command("CLUSTER", "INFO"))

        return all("cluster_state:ok" in info(n) and known in info(n) for n in self.nodes)

    def replicas(self) -> list[Valkey]:
        """The living replicas that are connected to their primary."""
        return [node for node in self.nodes if node.process and _is_replica_in_step(node)]

    def owner(self) -> Valkey:
        """The primary that holds the keys of the engine."""
        slot = key_slot(b"{buddy}")
        for first, last, (_, port, *_), *_ in self._first_alive().client.execute_command("CLUSTER SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise AssertionError("no node has the slot")

    def _first_alive(self) -> Valkey:
        return next(node for node in self.nodes if node.process)

    @property
    def url(self) -> str:
        """What REDIS_URL would be."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port}/0"


def _replicates(node: Valkey, primary: str) -> bool:
    try:
        return bool(node.client.execute_command("CLUSTER", "REPLICATE", primary))
    except redis.ResponseError:
        return False  # it has not heard of that node yet


def _is_replica_in_step(node: Valkey) -> bool:
    info = node.client.info("replication")
    return bool(info["role"] == "slave" and info["master_link_status"] == "up")


@pytest.fixture
def nodes(valkey: Valkey, settings: object, tmp_path: Path) -> Iterator[Nodes]:
    """A cluster, and the settings pointing at it."""
    nodes = Nodes(tmp_path)
    nodes.start()
    point_at(settings, nodes.url)
    yield nodes
    for node in nodes.nodes:
        node.stop()


@pytest.fixture
def nodes_with_replicas(valkey: Valkey, settings: object, tmp_path: Path) -> Iterator[Nodes]:
    """A cluster of three primaries and three replicas, and the settings pointing at all its nodes."""
    nodes = Nodes(tmp_path, replicas=3)
    nodes.start()
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes.nodes)
    point_at(settings, f"redis+cluster://{hosts}")
    yield nodes
    for node in nodes.nodes:
        node.stop()
