"""A client that stops reading costs other clients nothing: no memory, no time, no worker."""

import base64
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chat.accounts.access.sessions.store import SessionStore
from tests.support.cluster import ROOT, environment
from tests.support.valkey import free_port, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey"), pytest.mark.slow]

BIG = " ".join(f"word{n}" for n in range(8000))


class Web:
    """A web server process, as in production."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(self.port), "buddy.asgi:application"]
        out = log.open("ab")
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=out, stderr=out)
        wait_until(self._listens, "the web server")

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def megabytes(self) -> float:
        """The resident memory of the process."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096 / 1e6

    @property
    def sockets(self) -> int:
        """The number of established connections."""
        tables = Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines()[1:]
        ours = f":{self.port:04X}"
        return sum(line.split()[1].endswith(ours) and line.split()[3] == "01" for line in tables)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path / "web.log")
    yield web
    web.process.terminate()
    web.process.wait()
    print((tmp_path / "web.log").read_text())


class Client:
    """A WebSocket client that reads only when asked to."""

    def __init__(self, web: Web) -> None:
        session = SessionStore()
        session["visitor"] = True
        session.create()
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.sock.settimeout(20)
        self.sock.connect(("127.0.0.1", web.port))
        key = base64.b64encode(os.urandom(16)).decode()
        host = f"127.0.0.1:{web.port}"
        self.sock.sendall(
            f"GET /ws/ HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Cookie: sessionid={session.session_key}\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.sock.recv(1)
        assert b" 101 " in head, head

    def send(self, **message: Any) -> None:
        payload = json.dumps(message).encode()
        short = len(payload) < 126
        size = (
            struct.pack(">BB", 0x81, 0x80 | len(payload))
            if short
            else struct.pack(">BBH", 0x81, 0xFE, len(payload))
        )
        self.sock.sendall(size + b"\0\0\0\0" + payload)  # a mask of zeros is valid

    def ask(self, text: str) -> None:
        messages = [{"role": "user", "content": text}]
        self.send(type="chat:message", requestId="r-1", companion="travel", messages=messages)

    def receive(self) -> dict[str, Any]:
        first, size = self._exactly(2)
        if size == 126:
            (size,) = struct.unpack(">H", self._exactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._exactly(8))
        if first != 0x81:  # a control frame: daphne's own ping
            self._exactly(size)
            return self.receive()
        event = json.loads(self._exactly(size))
        if event["type"] == "ping":
            self.send(type="pong", t=event["t"])
        return event

    def receive_until(self, kind: str) -> dict[str, Any]:
        while (event := self.receive())["type"] != kind:
            pass
        return event

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            assert more, "closed"
            data += more
        return data


@pytest.fixture
def clients(web: Web) -> Iterator[Callable[[], Client]]:
    opened: list[Client] = []

    def open_one() -> Client:
        opened.append(Client(web))
        return opened[-1]

    yield open_one
    for client in opened:
        client.sock.close()


def test_client_that_stops_reading_is_sent_a_bounded_amount_and_closed(web, clients, workers):
    stalled = []
    for n in range(10):
        workers.script(text=BIG, match="big")
        stalled.append(clients())
        stalled[n].ask("big")
        job_id = stalled[n].receive_until("chat:completed")["jobId"]
        if n == 0:
            before = web.megabytes
        for _ in range(75):  # 15 MB each, if the server buffered it
            stalled[n].send(type="job:watch", jobId=job_id)

    reader = clients()
    workers.script(text="Quick.", match="quick")
    reader.ask("quick")
    assert reader.receive_until("chat:completed")["response"] == "Quick."
    grown, opened = web.megabytes - before, web.sockets
    print(f"{grown:.1f} MB more for 10 stalled readers")
    assert grown < 30
    wait_until(lambda: web.sockets <= opened - 10, "the stalled sockets to be closed", 60)
    reader.send(type="ping", t=1)
    assert reader.receive_until("pong")
