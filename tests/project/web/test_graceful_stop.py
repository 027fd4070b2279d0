"""A web process that is asked to stop answers what it has accepted (O11)."""

import asyncio
import json
import signal
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from buddy.web import graceful_stop
from tests.support.valkey import wait_until

QUESTION = json.dumps({"message": "Where to?"}).encode()

pytestmark = [pytest.mark.django_db(transaction=True)]


def connect(server) -> socket.socket:
    """Return a new connection to the web process."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def begin_question(server) -> socket.socket:
    """Send the head and the first byte of a question."""
    headers = server.headers | {"Content-Type": "application/json", "Content-Length": str(len(QUESTION))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    begun = connect(server)
    begun.sendall(f"POST /api/travel HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode() + QUESTION[:1])
    return begun


def answer(connection: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def refuses(server) -> bool:
    """Return True when the port is closed."""
    with suppress(ConnectionError), connect(server):
        return False
    return True


def test_request_that_has_begun_is_answered_after_sigterm(web):
    server = web()
    begun = begin_question(server)
    server.get("/healthz")  # now the server has read the one before
    server.process.send(signal.SIGTERM)
    wait_until(lambda: refuses(server), "the port to close")
    begun.sendall(QUESTION[1:])
    assert answer(begun).startswith(b"HTTP/1.1 202 ")
    assert server.process.join(10) == 0


def test_connections_that_wait_at_sigterm_are_answered(web):
    """Those that the kernel has taken, and this process has not yet: a frozen process shows them."""
    server = web()
    server.get("/healthz")  # by now it runs, and not only its port is open
    server.process.send(signal.SIGSTOP)
    waiting = [connect(server) for _ in range(5)]
    for connection in waiting:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    server.process.send(signal.SIGTERM)
    server.process.send(signal.SIGCONT)
    assert all(answer(connection).startswith(b"HTTP/1.1 200 ") for connection in waiting)
    assert server.process.join(10) == 0


async def test_sockets_and_event_streams_are_closed_after_sigterm(web):
    """Their clients know that the server restarts, and connect again."""
    server = await asyncio.to_thread(web)
    address, origin = f"http://127.0.0.1:{server.port}", {"Origin": f"http://127.0.0.1:{server.port}"}
    async with (
        aiohttp.ClientSession(headers=server.headers) as http,
        http.ws_connect(f"{address}/ws/", headers=origin) as ws,
    ):
        await ws.receive_json(timeout=10)
        async with http.post(f"{address}/api/travel", data=QUESTION, headers=origin) as accepted:
            job = (await accepted.json())["jobId"]
        async with http.get(f"{address}/api/jobs/{job}/events") as stream:
            await stream.content.readline()
            server.process.send(signal.SIGTERM)
            await asyncio.wait_for(stream.content.read(), 10)  # it ends as a whole stream does
        while (message := await ws.receive(timeout=10)).type == aiohttp.WSMsgType.TEXT:
            pass
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, graceful_stop.SERVICE_RESTART)
    assert await asyncio.to_thread(server.process.join, 10) == 0


def test_silent_connection_does_not_delay_the_stop(web):
    server = web()
    silent = connect(server)
    server.get("/healthz")
    server.process.send(signal.SIGTERM)
    assert answer(silent) == b""
    assert server.process.join(5) == 0


def test_web_process_tells_systemd_that_it_is_ready_alive_and_stops(web, tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(30)
        systemd.bind(str(tmp_path / "notify"))
        server = web(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert [systemd.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
        server.stop()
        assert b"STOPPING=1" in iter(lambda: systemd.recv(100), b"")
