"""The handler of HTTP requests: who leaves, what is closed where, and which view an address has."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, re_path

from buddy.web.http_handler import HttpHandler

_seen: list[str] = []
_waiting = asyncio.Event()


async def _wait(request: HttpRequest) -> HttpResponse:
    _waiting.set()
    try:
        await asyncio.Event().wait()
    finally:
        _seen.append("the view has ended")
    raise AssertionError


def _closed_here() -> None:
    _seen.append(threading.current_thread().name)


async def _text(request: HttpRequest, number: int = 0) -> HttpResponse:
    response = HttpResponse(f"{request.path} {number}")
    response._resource_closers.append(_closed_here)
    return response


async def _stream(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a piece"

    response = StreamingHttpResponse(pieces())
    response._resource_closers.append(_closed_here)
    return response


urlpatterns = [
    path("wait", _wait),
    path("text", _text),
    path("text/<int:number>", _text),
    path("stream", _stream),
    re_path("^any", _text),
]


@pytest.fixture
def handler(settings, valkey, transactional_db) -> HttpHandler:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    _seen.clear()
    return HttpHandler()


def _request(handler: HttpHandler, path: str) -> ApplicationCommunicator:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "query_string": b""}
    return ApplicationCommunicator(handler, scope | {"headers": [(b"host", b"localhost")]})


async def _body(handler: HttpHandler, path: str) -> str:
    request = _request(handler, path)
    await request.send_input({"type": "http.request"})
    assert (await request.receive_output(10))["status"] == 200
    body = (await request.receive_output(10))["body"]
    await request.wait(10)
    return str(body.decode())


async def test_view_whose_client_leaves_is_cancelled(handler):
    request = _request(handler, "/wait")
    await request.send_input({"type": "http.request"})
    await asyncio.wait_for(_waiting.wait(), 10)
    await request.send_input({"type": "http.disconnect"})
    await request.wait(10)
    assert _seen == ["the view has ended"]
    assert request.output_queue.empty()


async def test_response_of_bytes_is_closed_on_the_event_loop_and_a_stream_in_a_thread(handler):
    await _body(handler, "/text")
    await _body(handler, "/stream")
    assert _seen == [threading.current_thread().name, "request"]


async def test_address_that_was_found_before_gets_its_own_view_and_parameters(handler):
    paths = ["/text", "/text/1", "/text/2", "/any", "/anything"]
    expected = ["/text 0", "/text/1 1", "/text/2 2", "/any 0", "/anything 0"]
    for _ in range(2):
        assert [await _body(handler, path) for path in paths] == expected
