"""A primary, a replica and three Sentinels, as a fixture."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.valkey import Valkey, _server, point_at, wait_until

NAME = "main"
PASSWORD = "of-the-data"


class _Sentinel(Valkey):
    def start(self) -> None:
        """Start the Sentinel and wait until it answers."""
        command = [_server(), str(self.directory / "sentinel.conf"), "--sentinel"]
        log = (self.directory / "log").open("ab")
        self.process = subprocess.Popen([*command, "--port", str(self.port)], stdout=log, stderr=log)
        wait_until(self._answers, "the Sentinel to answer")


class Sentinels:
    """Two servers, one of which replicates the other, and three Sentinels that watch them."""

    def __init__(self, directory: Path) -> None:
        self.servers = [Valkey(_new(directory / f"server{n}"), password=PASSWORD) for n in range(2)]
        self.sentinels: list[Valkey] = []
        self.directory = directory

    def start(self) -> None:
        """Start all, and wait until the Sentinels know each other and the replica."""
        first, second = self.servers
        for server in self.servers:
            server.options = ("--masterauth", PASSWORD)
            server.start()
        second.client.replicaof("127.0.0.1", first.port)
        for number in range(3):
            folder = _new(self.directory / f"sentinel{number}")
            (folder / "sentinel.conf").write_text(
                f"sentinel monitor {NAME} 127.0.0.1 {first.port} 2\n"
                f"sentinel auth-pass {NAME} {PASSWORD}\n"
                f"sentinel down-after-milliseconds {NAME} 1000\n"
                f"sentinel failover-timeout {NAME} 5000\n"
            )
            sentinel = _Sentinel(folder, password="")
            sentinel.start()
            self.sentinels.append(sentinel)
        wait_until(self.is_complete, "the Sentinels to know all")

    def is_complete(self) -> bool:
        """Return whether each Sentinel knows the others and a replica in step."""
        return all(map(_knows_all, self.sentinels))

    def primary(self) -> Valkey:
        """The server that the Sentinels name."""
        _, port = self.sentinels[-1].client.execute_command("SENTINEL", "get-master-addr-by-name", NAME)
        return next(server for server in self.servers if server.port == int(port))

    def stop(self) -> None:
        """Kill all."""
        for one in [*self.sentinels, *self.servers]:
            one.stop()

    @property
    def url(self) -> str:
        """What REDIS_URL would be."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{hosts}/{NAME}/0"


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _knows_all(sentinel: Valkey) -> bool:
    found = sentinel.client.info("sentinel").get("master0", {})
    return (found.get("slaves"), found.get("sentinels")) == (1, 3)


@pytest.fixture
def sentinels(valkey: Valkey, settings: object, tmp_path: Path) -> Iterator[Sentinels]:
    """Servers watched by Sentinels, and the settings pointing at the Sentinels."""
    found = Sentinels(tmp_path)
    found.start()
    point_at(settings, found.url)
    yield found
    found.stop()
