"""A primary, a replica and three Sentinels that speak only TLS, each client with a user of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.production.certificate import write_certificate
from tests.support.sentinels import NAME, Sentinels, _new
from tests.support.valkey import Valkey, point_at, wait_until

#: The users of docs/deploy.md, and one for the tests themselves.
USERS = {
    "queues": "~{buddy}:* &{buddy}:* &buddy* +@all -@admin -@dangerous +info +role",
    "replica": "+psync +replconf +ping",
    "sentinel": "allchannels +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info"
    " +client|setname +client|kill +script|kill",
    "tests": "~* &* +@all",
}


class _Secured(Valkey):
    """A server with a configuration file."""

    lines: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    def __init__(self, directory: Path, certificate: tuple[Path, Path], user: str) -> None:
        super().__init__(directory, password="")
        file, key = certificate
        tls = f"port 0|tls-port {self.port}|tls-auth-clients no|tls-replication yes|tls-ca-cert-file {file}"
        tls += f"|tls-cert-file {file}|tls-key-file {key}|bind 127.0.0.1|dir {directory}"
        (directory / "conf").write_text("\n".join([*tls.split("|"), *self.lines]) + "\n")
        self.url = f"rediss://{user}@127.0.0.1:{self.port}/0?ssl_ca_certs={file}"
        self.client = redis.Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = ["redis-server", str(self.directory / "conf"), *self.arguments]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._answers, "the server to answer")


class _Data(_Secured):
    lines = (
        'save ""',
        "user default off",
        *(f"user {name} on >of-{name} {rights}" for name, rights in USERS.items()),
        "masteruser replica",
        "masterauth of-replica",
    )


class _Sentinel(_Secured):
    arguments = ("--sentinel",)


class SecuredSentinels(Sentinels):
    """The same as `Sentinels`, over TLS."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.certificate = directory, write_certificate(directory)
        self.servers = [
            _Data(_new(directory / f"server{n}"), self.certificate, "tests:of-tests") for n in range(2)
        ]
        self.sentinels = []

    def start(self) -> None:
        """Start all, and wait until the Sentinels know each other and the replica."""
        first, second = self.servers
        for server in self.servers:
            server.start()
        second.client.replicaof("127.0.0.1", first.port)
        for number in range(3):
            self.sentinels.append(self._sentinel(self.directory / f"sentinel{number}", first.port))
            self.sentinels[-1].start()
        wait_until(self.is_complete, "the Sentinels to know all")

    def _sentinel(self, folder: Path, port: int) -> Valkey:
        sentinel = _Sentinel(_new(folder), self.certificate, ":of-sentinels")
        with (folder / "conf").open("a") as out:
            out.write(
                "requirepass of-sentinels\n"
                "sentinel sentinel-pass of-sentinels\n"
                f"sentinel monitor {NAME} 127.0.0.1 {port} 2\n"
                f"sentinel auth-user {NAME} sentinel\n"
                f"sentinel auth-pass {NAME} of-sentinel\n"
                f"sentinel down-after-milliseconds {NAME} 1000\n"
                f"sentinel failover-timeout {NAME} 5000\n"
            )
        return sentinel

    @property
    def url(self) -> str:
        """What REDIS_URL would be."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        query = f"sentinel_password=of-sentinels&ssl_ca_certs={self.certificate[0]}"
        return f"rediss+sentinel://queues:of-queues@{hosts}/{NAME}/0?{query}"


def has_tls() -> bool:
    """Return whether the system's Redis can be run and speaks TLS."""
    path = shutil.which("redis-server")
    return bool(path) and b"libssl" in subprocess.run(["ldd", path], capture_output=True, check=False).stdout


@pytest.fixture
def secured_sentinels(valkey: Valkey, settings: object, tmp_path: Path) -> Iterator[SecuredSentinels]:
    """Servers watched by Sentinels over TLS, and the settings pointing at the Sentinels."""
    if not has_tls():
        pytest.skip("it needs redis-server with TLS (Debian: redis-server)")
    found = SecuredSentinels(tmp_path)
    found.start()
    point_at(settings, found.url)
    yield found
    found.stop()
