"""A Redis Cluster of three nodes, as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.valkey import Valkey, free_port, point_at, wait_until

SLOTS = 16384


class Nodes:
    """Three servers that form a cluster."""

    def __init__(self, directory: Path) -> None:
        self.nodes = []
        buses = [free_port() for _ in range(3)]
        self.bus = buses[0]
        for number in range(3):
            (directory / str(number)).mkdir()
            options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            options += ("--cluster-port", str(buses[number]))
            self.nodes.append(Valkey(directory / str(number), *options, password=""))

    def start(self) -> None:
        """Start them, share out the slots, and wait until all agree."""
        for number, node in enumerate(self.nodes):
            node.start()
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self.bus)
        wait_until(self._agree, "the cluster to form")

    def _agree(self) -> bool:
        def info(node: Valkey) -> str:
            return str(node.client.execute_command("CLUSTER", "INFO"))

        return all("cluster_state:ok" in info(n) and "cluster_known_nodes:3" in info(n) for n in self.nodes)

    @property
    def url(self) -> str:
        """What REDIS_URL would be."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port}/0"


@pytest.fixture
def nodes(valkey: Valkey, settings: object, tmp_path: Path) -> Iterator[Nodes]:
    """A cluster, and the settings pointing at it."""
    nodes = Nodes(tmp_path)
    nodes.start()
    point_at(settings, nodes.url)
    yield nodes
    for node in nodes.nodes:
        node.stop()
