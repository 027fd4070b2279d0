"""The figures of a web process: requests, sockets, event streams, the delay of its loop."""

import asyncio
import time

import pytest
from asgiref.testing import ApplicationCommunicator

from buddy.web import web_metrics
from buddy.web.loop_watch import LoopWatch
from tests.support.valkey import eventually


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch):
    """Count from zero."""
    for name in ("requests", "open_now"):
        monkeypatch.setattr(web_metrics, name, type(getattr(web_metrics, name))())
    monkeypatch.setattr(web_metrics, "request_seconds", web_metrics.Durations())


def figures() -> dict[tuple[str, ...], float]:
    """Return {(sample name, values of its labels): value}."""
    samples = [sample for metric in web_metrics.metrics() for sample in metric.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


async def application(scope, receive, send):
    """Answer when a message arrives: a page, a stream, or the handshake of a socket."""
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await receive()
        return
    content = b"text/event-stream" if scope["path"] == "/events" else b"text/html"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", content)]})
    await receive()
    await send({"type": "http.response.body", "body": b""})


def call(path: str, method: str = "GET", kind: str = "http") -> ApplicationCommunicator:
    """Begin a request or a socket."""
    scope = {"type": kind, "path": path, "method": method, "headers": []}
    return ApplicationCommunicator(web_metrics.Measured(application), scope)


async def test_open_requests_streams_and_sockets_are_counted_while_they_are_open():
    page, stream, socket = call("/"), call("/events"), call("/ws/", kind="websocket")
    for caller in (page, stream, socket):
        await caller.send_input({"type": "anything"})
        await caller.receive_output()
    told = figures()
    assert [told[f"buddy_web_{what}s_open",] for what in ("request", "stream", "socket")] == [1, 1, 1]
    for caller in (page, stream, socket):
        await caller.send_input({"type": "anything"})
        await caller.wait()
    told = figures()
    assert [told[f"buddy_web_{what}s_open",] for what in ("request", "stream", "socket")] == [0, 0, 0]
    assert told["buddy_web_requests_total", "GET", "200"] == 2
    assert told["buddy_web_request_seconds_count",] == 1  # a stream lasts as long as its job


async def test_request_whose_client_left_and_odd_methods_are_counted():
    left = call("/", method="BREW")
    await left.send_input({"type": "anything"})
    await left.receive_output()
    left.future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left.future
    told = figures()
    assert told["buddy_web_requests_total", "other", "200"] == 1
    assert told["buddy_web_requests_open",] == 0


async def test_delay_of_the_loop_is_measured(monkeypatch: pytest.MonkeyPatch):
    lag = web_metrics.Durations()
    monkeypatch.setattr("buddy.web.loop_watch.loop_lag", lag)
    monkeypatch.setattr(web_metrics, "loop_lag", lag)
    LoopWatch(interval=0.01, late=5.0)
    await eventually(lambda: figures()["buddy_web_loop_lag_seconds_count",] >= 1, "a quick answer")
    quick = figures()["buddy_web_loop_lag_seconds_bucket", "0.1"]
    assert quick >= 1
    time.sleep(0.3)
    await eventually(
        lambda: (
            figures()["buddy_web_loop_lag_seconds_count",]
            > figures()["buddy_web_loop_lag_seconds_bucket", "0.1"]
        ),
        "a slow answer",
    )


def test_process_tells_its_memory_and_open_files_by_their_usual_names():
    told = figures()
    assert told["process_resident_memory_bytes",] > 0
    assert told["process_open_fds",] > 0
