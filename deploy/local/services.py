"""The services of `make run`: the command of each, when it is ready, and the variables that name it."""

import http.client
import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis

from . import addresses, environment, model_server, valkey
from .bootstrap import Problem

MIGRATE_AND_COLLECT = [sys.executable, "-m", "deploy.local.migrate_and_collect"]
INSTALL_SPEECH = [sys.executable, "deploy/local/bootstrap.py", "install", "speech"]


@dataclass(frozen=True)
class Service:
    """A process that `make run` starts and keeps running."""

    name: str
    command: list[str]
    missing: Callable[[], str] = lambda: ""
    """Return the reason why the service is not ready, or an empty text. The call may block for a second."""
    publishes: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that name this service for the others."""
    address: str = ""
    also: tuple[str, ...] = ()
    """Where other computers find it."""
    grace: float = 5.0
    """Seconds between SIGTERM and SIGKILL when the service is stopped."""


def valkey_service(directory: Path = environment.VAR / "valkey") -> Service:
    """Describe the embedded Redis, on a free port and with a password for this run."""
    port, password = free_port(), secrets.token_urlsafe(24)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    command = valkey.command(directory, port, password)
    client = redis.Redis.from_url(url, socket_timeout=1)

    def missing() -> str:
        try:
            client.ping()
        except redis.RedisError as error:  # the server does not listen yet, or loads its data
            return str(error)
        return ""

    return Service("valkey", command, missing, {"REDIS_URL": url}, f"127.0.0.1:{port}")


def model_service() -> Service:
    """Describe the embedded model, on a free port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    publishes = {
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "local",
        "OPENAI_MODEL": model_server.model_name(),
        "BUDDY_DEMO_MODEL": "1",
    }
    command = [sys.executable, "-m", "deploy.local.model_server", str(port)]
    return Service("model", command, lambda: http_missing("127.0.0.1", port, "/health"), publishes, url)


def speech_service() -> Service:
    """Describe the embedded speech-to-text server, on a free port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    publishes = {
        "OPENAI_TRANSCRIPTION_BASE_URL": url,
        "OPENAI_TRANSCRIPTION_MODEL": "whisper-tiny-en",
        "BUDDY_DEMO_SPEECH": "1",
    }
    command = [sys.executable, "-m", "deploy.local.whisper_server", str(port)]
    return Service("speech", command, lambda: http_missing("127.0.0.1", port, "/health"), publishes, url)


def cluster_service() -> Service:
    """Describe the worker cluster. Its grace time is longer than that of the engine."""
    return Service("cluster", [sys.executable, "manage.py", "qcluster"], grace=30.0)


def web_service(host: str, port: int) -> Service:
    """Describe the web server. It is ready when `/readyz` answers 200."""
    command = [
        sys.executable,
        "-m",
        "daphne",
        "-v",
        "0",
        "-b",
        host,
        "-p",
        str(port),
        "buddy.asgi:application",
    ]
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return Service(
        "web",
        command,
        lambda: http_missing(near, port, "/readyz"),
        address=addresses.url(near, port),
        also=tuple(addresses.url(name, port) for name in addresses.of_host(host) if name != near),
        grace=20.0,
    )


def http_missing(host: str, port: int, path: str) -> str:
    """Send a GET request. Return an empty text for status 200, else the reason."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return "" if answer.status == 200 else _reason(answer.status, body)


def _reason(status: int, body: bytes) -> str:
    try:
        checks = json.loads(body)["checks"]
    except (ValueError, LookupError, TypeError):
        return f"HTTP {status}"
    return ", ".join(f"{name}: {state}" for name, state in checks.items())


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def host_and_port() -> tuple[str, int]:
    """Return HOST and PORT, by default 127.0.0.1 and 8000. Raise `Problem` when PORT is not a port."""
    host, text = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Problem(f"PORT={text} is not a port. Choose a number from 1 to 65535.")
    return host, int(text)


def check_free(host: str, port: int) -> None:
    """Raise `Problem` unless a server can listen at this address."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise Problem(
            f"Port {port} of {host} cannot be used ({reason}). Choose another: make run PORT=8001"
        ) from None
