"""What everybody may see: counts, and nothing about the machines (S21)."""

import os
import platform
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.urls import URLPattern, get_resolver

from queueing.schedule import redis_client
from queueing.schedule.presence import heartbeat
from tests.chat.browser import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

TOKEN = "read-the-machines"
#: A worker as its heartbeat describes it.
WORKER = {
    "id": "c1/w1",
    "cluster": "c1",
    "host": "host-of-the-worker",
    "pid": 987654321,
    "started": 0.0,
    "up": 1.0,
    "running": 1,
    "slots": 4,
    "needs": [],
    "listens": True,
    "leaving": False,
    "memory": 123456789,
    "version": "release-of-the-worker",
}
OF_WORKERS = [str(WORKER[name]) for name in ("id", "host", "pid", "memory", "version")]
OF_THIS_MACHINE = [
    *({socket.gethostname()} - {"localhost"}),  # every client of a test calls this name
    f"pid {os.getpid()}",
    str(settings.BASE_DIR),
    str(Path.home()) + "/",
    sys.prefix,
    f"Django/{django.__version__}",
    f"Python/{platform.python_version()}",
    settings.REDIS_URL,
]


def paths(patterns: list, prefix: str = "") -> Iterator[str]:
    """Yield every address of the site, with zeros for its parameters."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLPattern):
            plain = re.sub(r"\(\?P<\w+>.*?\)(?=/|$|\\)|<[^>]+>", "0" * 32, route)
            yield "/" + plain.replace("\\Z", "").replace("/?", "").replace("$", "")
        else:
            yield from paths(pattern.url_patterns, route)


PATHS = sorted(set(paths(get_resolver().url_patterns)))


@pytest.fixture
def worker(valkey):
    """A worker's heartbeat in Redis."""
    redis_client.run(heartbeat("c1/w1", WORKER))


def machines_in(answer: str) -> list[str]:
    """Return what an answer says about machines, as whole words."""
    return [
        text for text in OF_WORKERS + OF_THIS_MACHINE if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", answer)
    ]


async def answer_of(method: str, path: str, **headers: str) -> str:
    """Return the head and the body of an answer to a client without a session."""
    response = await AsyncClient(raise_request_exception=False).generic(method, path, headers=headers)
    body = await first_of(response) if response.streaming else response.content
    return f"{response.items()}\n{body.decode(errors='replace')}"


async def first_of(response: StreamingHttpResponse) -> bytes:
    """Return a streamed body, or the first event of a stream that may never end."""
    body = b""
    async for part in response:
        body += part
        if response["Content-Type"].startswith("text/event-stream"):
            break
    response.close()
    return body


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_answers_to_everybody_name_no_machine(worker, method):
    """Each address of the site, with a worker running."""
    assert len(PATHS) > 80
    for path in PATHS:
        answer = await answer_of(method, path)
        assert machines_in(answer) == [], path


async def test_sockets_of_everybody_name_no_machine(worker):
    async with browser() as alice:
        tab = await alice.open()
        await tab.send_message(type="nonsense")
        await tab.ask()
        answer = str(await tab.receive_until("chat:queued"))
    assert machines_in(answer) == []


async def test_queue_status_has_counts_of_workers_for_everybody(worker):
    status = (await AsyncClient().get("/api/queue/status")).json()
    assert status["workers"] == [{"running": 1, "slots": 4}]


async def test_queue_status_has_machines_for_operators(worker, settings):
    path = "/api/queue/status"
    settings.METRICS_TOKEN = TOKEN
    assert set(OF_WORKERS) <= set(machines_in(await answer_of("GET", path, Authorization=f"Bearer {TOKEN}")))
    wrong = await answer_of("GET", path, Authorization="Bearer another")
    assert machines_in(wrong) == []
    client = AsyncClient()
    await client.aforce_login(await User.objects.acreate(username="olga", is_staff=True))
    assert (await client.get(path)).json()["workers"][0]["host"] == WORKER["host"]


async def test_openapi_file_is_made_once_and_not_sent_twice(monkeypatch):
    """S25: it took 118 ms of CPU for each reader."""
    first = await AsyncClient().get("/api/openapi.json")
    monkeypatch.setattr("chat.http.api.api.get_openapi_schema", lambda **_: pytest.fail("made again"))
    again = await AsyncClient().get("/api/openapi.json")
    assert again.content == first.content
    unchanged = await AsyncClient().get("/api/openapi.json", headers={"If-None-Match": first["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert "no-store" not in first["Cache-Control"]
    assert (await AsyncClient().post("/api/openapi.json")).status_code == 405
