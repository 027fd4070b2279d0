"""A client that reads nothing makes no answers wait in the memory of a web process."""

import base64
import socket
import struct
from contextlib import suppress

import pytest

from tests.project.bounds.test_bodies import MAX_GROWTH, memory_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

_KEY = base64.b64encode(b"sixteen letters.").decode()


def frame(opcode: int, data: bytes) -> bytes:
    """Return a frame as a browser sends it; the mask is zero."""
    assert len(data) < 126
    return struct.pack(">BB", 0x80 | opcode, 0x80 | len(data)) + bytes(4) + data


def opened(port: int) -> socket.socket:
    """Return a socket that the server has accepted."""
    line = socket.create_connection(("127.0.0.1", port), timeout=10)
    head = f"GET /ws/ HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"
    head += f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\n"
    line.sendall(f"{head}Sec-WebSocket-Version: 13\r\n\r\n".encode())
    assert line.recv(12) == b"HTTP/1.1 101"
    return line


@pytest.mark.parametrize(
    "sent", [frame(9, b"p" * 125), frame(1, b'{"type": "ping", "t": 1}')], ids=["ping", "text"]
)
def test_frames_of_a_client_that_reads_nothing_are_not_read_either(web, sent):
    server = web()
    server.get("/")
    before = memory_of(server.process.pid)
    with opened(server.port) as line:
        line.settimeout(3)
        frames = 0
        with suppress(OSError):  # the server reads no further, or ends the socket
            for _ in range(400):
                line.sendall(sent * 1000)
                frames += 1000
        assert frames < 400_000
        assert memory_of(server.process.pid) - before < MAX_GROWTH
    assert server.get("/healthz")[0] == 200
