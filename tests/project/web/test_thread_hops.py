"""How often a request changes threads, counted on the real handler: each change costs time."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries

from buddy.asgi import application
from chat.accounts.access.sessions.store import SessionStore
from queueing.record.threads import SerialThread, TidyThreads

#: A token as Django makes them. The header must repeat that of the cookie.
_CSRF = "x" * 32


@pytest.fixture
def hops(monkeypatch) -> list[str]:
    """The functions that were given to a thread."""
    found: list[str] = []

    def counted(executor: type) -> Any:
        submit = executor.submit

        def count(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            found.append(getattr(fn, "__qualname__", "") or "function of asgiref")
            return submit(self, fn, *args, **kwargs)

        return count

    for receiver in (close_old_connections, reset_queries):  # Django's test tools have connected them again
        request_started.disconnect(receiver)
    for executor in (SerialThread, TidyThreads):
        monkeypatch.setattr(executor, "submit", counted(executor))
    return found


async def _request(method: str, path: str, *headers: tuple[bytes, bytes], body: bytes = b"") -> int:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 80),
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "http.request", "body": body})
    start = await communicator.receive_output(10)
    while (await communicator.receive_output(10)).get("more_body"):
        pass
    await communicator.wait(10)
    return int(start["status"])


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/healthz", 0),
        ("/care", 2),  # the view and its session
    ],
)
async def test_request_changes_threads_seldom(transactional_db, valkey, hops, path, most):
    assert await _request("GET", path) == 200
    assert len(hops) <= most, hops


def _stored_visitor() -> tuple[bytes, bytes]:
    session = SessionStore()
    session.begin_visit()
    session.keep()
    return b"cookie", f"sessionid={session.session_key}; csrftoken={_CSRF}".encode()


async def test_message_over_http_changes_threads_once(transactional_db, valkey, hops):
    cookie = await sync_to_async(_stored_visitor)()
    headers = (cookie, (b"x-csrftoken", _CSRF.encode()), (b"content-type", b"application/json"))
    hops.clear()
    assert await _request("POST", "/api/travel", *headers, body=b'{"message": "Lisbon?"}') == 202
    assert len(hops) <= 1, hops  # who asks, and the message


async def test_message_over_a_socket_changes_threads_once(transactional_db, valkey, hops):
    headers = [
        await sync_to_async(_stored_visitor)(),
        (b"origin", b"http://localhost"),
        (b"host", b"localhost"),
    ]
    socket = WebsocketCommunicator(application, "/ws/", headers)
    connected, _ = await socket.connect(10)
    assert connected
    assert (await socket.receive_json_from(10))["type"] == "hello"
    hops.clear()
    message = {"type": "chat:message", "requestId": "r-1", "companion": "travel"}
    await socket.send_json_to(message | {"messages": [{"role": "user", "content": "Lisbon?"}]})
    assert (await socket.receive_json_from(10))["type"] == "chat:queued"
    assert len(hops) <= 1, hops
    await socket.disconnect(timeout=10)
