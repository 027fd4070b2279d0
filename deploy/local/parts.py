"""The parts of a local Buddy: how each is started, when it is ready, and what others have to know of it."""

import http.client
import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import redis

from . import environment, model_server, valkey
from .bootstrap import Problem

PREPARE = [sys.executable, "-m", "deploy.local.prepare"]
INSTALL_EAR = [sys.executable, "deploy/local/bootstrap.py", "install", "ear"]


@dataclass(frozen=True)
class Part:
    """A process of `make run`."""

    name: str
    command: list[str]
    missing: Callable[[], str] = lambda: ""
    """Why it is not ready yet, in a few words; empty when it is. May block for a second."""
    publishes: Mapping[str, str] = field(default_factory=dict)
    """Variables that tell the others where it is."""
    address: str = ""
    grace: float = 5.0
    """Seconds it may take to end when it is asked to."""


def valkey_part() -> Part:
    """The embedded Redis, on a free port with a password of this run."""
    port, password = free_port(), secrets.token_urlsafe(24)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    command = valkey.command(environment.VAR / "valkey", port, password)
    client = redis.Redis.from_url(url, socket_timeout=1)

    def missing() -> str:
        try:
            client.ping()
        except redis.RedisError as error:  # not listening yet, or still loading its data
            return str(error)
        return ""

    return Part("valkey", command, missing, {"REDIS_URL": url}, f"127.0.0.1:{port}")


def model_part() -> Part:
    """The embedded model, on a free port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    publishes = {
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "local",
        "OPENAI_MODEL": model_server.model_name(),
        "BUDDY_DEMO_MODEL": "1",
    }
    command = [sys.executable, "-m", "deploy.local.model_server", str(port)]
    return Part("model", command, lambda: http_missing("127.0.0.1", port, "/health"), publishes, url)


def ear_part() -> Part:
    """The embedded ear, on a free port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    publishes = {
        "OPENAI_TRANSCRIPTION_BASE_URL": url,
        "OPENAI_TRANSCRIPTION_MODEL": "whisper-tiny-en",
        "BUDDY_DEMO_EAR": "1",
    }
    command = [sys.executable, "-m", "deploy.local.ear_server", str(port)]
    return Part("ear", command, lambda: http_missing("127.0.0.1", port, "/health"), publishes, url)


def cluster_part() -> Part:
    """The workers; running jobs get the engine's grace time, and a little to give the rest back."""
    return Part("cluster", [sys.executable, "manage.py", "qcluster"], grace=30.0)


def web_part(host: str, port: int) -> Part:
    """The web server; it is ready when `/readyz` finds the database, Redis and workers in order."""
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
    shown = f"[{near}]" if ":" in near else near
    return Part("web", command, lambda: http_missing(near, port, "/readyz"), address=f"http://{shown}:{port}")


def http_missing(host: str, port: int, path: str) -> str:
    """Why a GET of the path does not answer 200; empty when it does."""
    # The first name that Django would answer to, by the scheme that it would not redirect.
    allowed = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".*") or "localhost"
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": allowed, "X-Forwarded-Proto": "https"})
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
    """A port of the loopback interface that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def host_and_port() -> tuple[str, int]:
    """HOST and PORT, or 127.0.0.1 and 8000; `Problem` if they make no sense."""
    host, text = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Problem(f"PORT={text} is no port: choose a number from 1 to 65535.")
    return host, int(text)


def check_free(host: str, port: int) -> None:
    """`Problem` unless a server can listen there."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise Problem(
            f"Port {port} of {host} cannot be used ({reason}). Choose another: make run PORT=8001"
        ) from None
