"""The Redis of a run: one primary with a replica, or a cluster of three primaries and three replicas."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

from tests.support.valkey import Valkey, free_port

SLOTS = 16384
PREFIX = "{buddy}"


class One:
    """A primary and a replica. The link leads to the primary."""

    def __init__(self, directory: Path) -> None:
        self._servers = []
        for name in ("a", "b"):
            (directory / name).mkdir(parents=True)
            self._servers.append(Valkey(directory / name, password=""))
            self._servers[-1].start()
        self._follow()

    @property
    def ports(self) -> list[int]:
        """The ports that links lead to."""
        return [self._servers[0].port]

    @property
    def version(self) -> str:
        return _version(self._servers[0])

    def url(self, ports: list[int]) -> str:
        return f"redis://127.0.0.1:{ports[0]}/0"

    def _follow(self) -> None:
        self._servers[1].client.replicaof("127.0.0.1", self._servers[0].port)

    def choose(self, dice: random.Random) -> Valkey:
        """Return the server that a fault is to hit."""
        return self._servers[0]

    def flush(self) -> None:
        self._servers[0].client.flushall()

    def configure(self, name: str, value: str) -> None:
        for server in self._servers:
            server.client.config_set(name, value)

    def lose_keys(self, dice: random.Random, count: int) -> None:
        _lose_keys(self._servers[:1], dice, count)

    def fail_over(self) -> int:
        """Promote the replica, demote the primary, and return the port of the new primary."""
        for server in self._servers:
            if not server.process:
                server.start()
        self._servers[1].client.replicaof("NO", "ONE")
        self._servers.reverse()
        self._follow()
        return self._servers[0].port

    def stop(self) -> None:
        for server in self._servers:
            server.stop()


class Cluster:
    """Three primaries and three replicas, which announce the ports of their links."""

    def __init__(self, directory: Path, link: Callable[[int], int]) -> None:
        self._turn = 0
        self._nodes: list[Valkey] = []
        self._links: list[int] = []
        for number in range(6):
            (directory / str(number)).mkdir(parents=True)
            bus = free_port()
            node = Valkey(directory / str(number), password="")
            self._links.append(link(node.port))
            node.options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            node.options += ("--cluster-port", str(bus), "--cluster-announce-bus-port", str(bus))
            node.options += ("--cluster-announce-port", str(self._links[-1]))
            node.options += ("--cluster-announce-ip", "127.0.0.1", "--cluster-replica-validity-factor", "0")
            node.options += ("--cluster-require-full-coverage", "no")
            node.bus = bus  # type: ignore[attr-defined]
            self._nodes.append(node)
        self._form()

    def _form(self) -> None:
        for number, node in enumerate(self._nodes):
            node.start()
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number < 3:
                first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
                node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        seed = self._nodes[0]
        for node in self._nodes[1:]:
            node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", seed.port, seed.bus)  # type: ignore[attr-defined]
        _until(self._agree)
        for primary, replica in zip(self._nodes[:3], self._nodes[3:], strict=True):
            replica.client.execute_command(
                "CLUSTER", "REPLICATE", primary.client.execute_command("CLUSTER", "MYID")
            )
        _until(lambda: all(_role(node) == "slave" for node in self._nodes[3:]))

    def _agree(self) -> bool:
        infos = [str(node.client.execute_command("CLUSTER", "INFO")) for node in self._nodes]
        return all("cluster_state:ok" in info and "cluster_known_nodes:6" in info for info in infos)

    @property
    def version(self) -> str:
        return f"{_version(self._nodes[0])} (cluster of 3 + 3)"

    def url(self, ports: list[int]) -> str:
        return f"redis+cluster://127.0.0.1:{self._links[0]}/0"

    def _primaries(self) -> list[Valkey]:
        return [node for node in self._nodes if node.process and _role(node) == "master"]

    def choose(self, dice: random.Random) -> Valkey:
        """Return a primary that a fault is to hit."""
        return dice.choice(self._primaries())

    def next_node(self) -> Valkey:
        """Return the next node in turn."""
        self._turn += 1
        return self._nodes[(self._turn - 1) % 6]

    def flush(self) -> None:
        for node in self._primaries():
            with suppress(redis.RedisError):
                node.client.flushall()

    def configure(self, name: str, value: str) -> None:
        for node in self._nodes:
            if node.process:
                node.client.config_set(name, value)

    def lose_keys(self, dice: random.Random, count: int) -> None:
        _lose_keys(self._primaries(), dice, count)

    def stop(self) -> None:
        for node in self._nodes:
            node.stop()


def _lose_keys(servers: list[Valkey], dice: random.Random, count: int) -> None:
    keys = [(server, key) for server in servers for key in sorted(server.client.scan_iter(f"{PREFIX}*", 500))]
    for server, key in dice.sample(keys, min(count, len(keys))):
        server.client.delete(key)


def _role(node: Valkey) -> str:
    try:
        return str(node.client.info("replication")["role"])
    except redis.RedisError:
        return ""


def _version(server: Valkey) -> str:
    info = server.client.info("server")
    return (
        f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"
    )


def _until(predicate: Callable[[], bool], timeout: float = 30.0) -> None:
    ends = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > ends:
            raise TimeoutError("the Redis Cluster did not form")
        time.sleep(0.05)
