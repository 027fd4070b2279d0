"""How often a request changes threads, counted on the real handler: each change costs time."""

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries

from buddy.asgi import application
from queueing.record.threads import SerialThread, TidyThreads


@pytest.fixture
def hops(monkeypatch) -> list[str]:
    """The functions that were given to a thread."""
    found: list[str] = []

    def counted(executor: type) -> Any:
        submit = executor.submit

        def count(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            name = getattr(fn, "__qualname__", "") or "function of asgiref"
            if name != "SerialThread._run_next":  # counted when it was submitted
                found.append(name)
            return submit(self, fn, *args, **kwargs)

        return count

    for receiver in (close_old_connections, reset_queries):  # Django's test tools have connected them again
        request_started.disconnect(receiver)
    for executor in (SerialThread, TidyThreads):
        monkeypatch.setattr(executor, "submit", counted(executor))
    return found


async def _get(path: str) -> int:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 80),
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "http.request", "body": b""})
    start = await communicator.receive_output(10)
    while (await communicator.receive_output(10)).get("more_body"):
        pass
    await communicator.wait(10)
    return int(start["status"])


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/healthz", 1),  # the end of the response, which Django gives to a thread
        ("/care", 3),  # with the view and its session
    ],
)
async def test_request_changes_threads_seldom(transactional_db, valkey, hops, path, most):
    assert await _get(path) == 200
    assert len(hops) <= most, hops
