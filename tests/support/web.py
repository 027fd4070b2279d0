"""The `web` fixture: a real web server (Daphne) in a process on the test's database and Valkey."""

import http.client
import json
import runpy
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import nursery
from tests.support.cluster import environment, write_to
from tests.support.valkey import free_port, wait_until


def _be_a_server(port: int, log: Path) -> None:
    """All that a shell does for `daphne`."""
    write_to(log)
    sys.argv = ["daphne", "-v", "0", "-p", str(port), "buddy.asgi:application"]
    runpy.run_module("daphne", run_name="__main__")


class WebServer:
    """One server process, and requests of one visitor to it."""

    def __init__(self, log: Path, env: dict[str, str]) -> None:
        # Not at the top: the new process imports this module before it has its own settings.
        from chat.accounts.access.sessions.store import SessionStore

        self.port = free_port()
        self.log = log
        self.process = nursery.start(_be_a_server, env, self.port, log)
        session = SessionStore()
        session["visitor"] = True
        session.create()
        token = "c" * 32  # a visitor may choose the CSRF token: it must only be the same twice
        cookies = f"sessionid={session.session_key}; csrftoken={token}"
        self.headers = {"Cookie": cookies, "X-CSRFToken": token}
        wait_until(self._listens, "the web server")

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def send(
        self, method: str, path: str, body: Any = None, timeout: float = 30, **headers: str
    ) -> http.client.HTTPResponse:
        """Send a request and return the response, whose body is not read yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = self.headers | ({"Content-Type": "application/json"} if body is not None else {}) | headers
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        return connection.getresponse()

    def get(self, path: str) -> tuple[int, dict[str, str]]:
        """Return status and headers of a GET whose body was read."""
        response = self.send("GET", path)
        response.read()
        return response.status, dict(response.headers)

    @contextmanager
    def stream(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """A response whose body has begun. Leaving the block closes the connection."""
        response = self.send("GET", path)
        assert response.status == 200
        assert response.readline().startswith(b":")
        try:
            yield response
        finally:
            response.close()

    def stop(self, timeout: float = 20) -> None:
        """SIGTERM; fail if it does not end."""
        self.process.send(signal.SIGTERM)
        if self.process.join(timeout) is None:
            self.process.send(signal.SIGKILL)
            pytest.fail(f"the web server did not stop within {timeout:g} s")


@pytest.fixture
def web(
    transactional_db: None, valkey: object, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., WebServer]]:
    """Call it to start a web server; keyword arguments are environment variables."""
    if "postgres" in request.fixturenames:
        request.getfixturevalue("postgres")
    started: list[WebServer] = []

    def start(**env: str) -> WebServer:
        started.append(WebServer(tmp_path / f"web-{len(started)}.log", environment(**env)))
        return started[-1]

    yield start
    for server in started:
        server.stop()
        print(server.log.read_text())
