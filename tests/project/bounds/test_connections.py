"""S10: what a client holds open is counted, and a client that sends slowly is ended."""

import pytest
from asgiref.testing import ApplicationCommunicator
from daphne.server import Server
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from buddy.asgi import application
from buddy.bounds.asgi import Bounded
from buddy.bounds.daphne import connections
from buddy.bounds.daphne.factory import BoundedFactory
from buddy.bounds.daphne.requests import bodies

HEAD = b"POST /api/audio HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n"


class Line:
    """A connection to Daphne's protocol, with a clock that the test moves."""

    def __init__(self, host: str = "192.0.2.1") -> None:
        self.clock = Clock()
        server = Server(application, endpoints=["tcp:0"])
        server.connections = {}
        self.protocol = BoundedFactory(server).buildProtocol(IPv4Address("TCP", host, 1))
        self.protocol.callLater = self.clock.callLater
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", host, 1))
        self.transport.loseWriteConnection = self.transport.loseConnection
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes, *, after: float = 0.0) -> None:
        self.clock.advance(after)
        if not self.is_ended:
            self.protocol.dataReceived(data)

    @property
    def is_ended(self) -> bool:
        return self.transport.disconnecting or self.transport.disconnected

    def close(self) -> None:
        self.protocol.connectionLost(None)


@pytest.fixture
def line():
    line = Line()
    yield line
    line.close()


@pytest.mark.parametrize("sent", [HEAD, HEAD + b"\r\n" + b"x" * 1000], ids=["head", "body"])
def test_client_that_sends_byte_by_byte_is_ended(line, sent):
    """A byte each second gives no time: neither to the head nor to the body."""
    for number in range(connections.PATIENCE + len(sent)):
        line.send(sent[number : number + 1] or b"x", after=1.0 if number else 0.0)
    assert line.is_ended


def test_slow_client_with_a_piece_in_time_is_read_on(line):
    """25 MB over a telephone take minutes, and come."""
    line.send(HEAD + b"\r\n")
    for _ in range(100):
        line.send(b"x" * connections.PIECE, after=connections.PATIENCE - 1)
    assert not line.is_ended


def test_silent_client_is_ended(line):
    line.clock.advance(connections.IDLE + 1)
    assert line.is_ended


@given(st.lists(st.integers(0, 200_000), max_size=30), st.booleans())
def test_bodies_held_are_those_of_open_requests(pieces, chunked):
    """No way of ending a request leaves its bytes counted."""
    line = Line()
    head = HEAD if not chunked else HEAD.replace(b"Content-Length: 20000000", b"Transfer-Encoding: chunked")
    line.send(head + b"\r\n")
    for size in pieces:
        data = b"x" * size
        line.send(b"%x\r\n%s\r\n" % (size, data) if chunked and size else data)
    assert 0 <= bodies.total <= sum(pieces)
    line.close()
    assert (bodies.total, bodies.of("192.0.2.1")) == (0, 0)


def test_bodies_of_one_client_leave_room_for_another():
    """One client holds at most half of what all hold, however many requests it begins."""
    lines = [Line() for _ in range(4)]
    for line in lines:
        line.send(HEAD + b"\r\n" + b"x" * 15_000_000)
    assert [line.transport.value()[:12] for line in lines] == [b"", b"", b"HTTP/1.1 503", b"HTTP/1.1 503"]
    other = Line("192.0.2.2")
    other.send(HEAD + b"\r\n" + b"x" * 15_000_000)
    assert not other.is_ended
    for line in [*lines, other]:
        line.close()
    assert bodies.total == 0


def test_connections_of_one_client_are_limited(settings):
    settings.LIMIT_OPEN = 2
    lines = [Line() for _ in range(5)]
    assert [line.transport.disconnected for line in lines] == [False] * 4 + [True]
    other = Line("192.0.2.2")
    assert not other.transport.disconnected
    for line in [*lines, other]:
        line.close()
    assert connections.connections.total == 0


async def test_open_requests_of_one_network_are_limited(settings):
    """Event streams and sockets are open until they end. Another network is served, and so are probes."""
    settings.LIMIT_OPEN = 2

    async def wait_for_the_end(scope, receive, send):
        await receive()

    bounded = Bounded(wait_for_the_end)

    def call(client: str, path: str = "/", kind: str = "http") -> ApplicationCommunicator:
        scope = {"type": kind, "path": path, "headers": [], "client": (client, 1)}
        return ApplicationCommunicator(bounded, scope)

    held = [call("2001:db8::1"), call("2001:db8::2", kind="websocket")]
    for one in held:
        assert await one.receive_nothing()
    refused = call("2001:db8::3")
    assert (await refused.receive_output())["status"] == 429
    handshake = call("2001:db8::3", kind="websocket")
    assert (await handshake.receive_output())["type"] == "websocket.close"
    for other in (call("2001:db8:1::1"), call("2001:db8::3", "/healthz")):
        assert await other.receive_nothing()
        await other.send_input({"type": "http.request"})
        await other.wait()
    for one in held:
        await one.send_input({"type": "http.request"})
        await one.wait()
    again = call("2001:db8::3")
    assert await again.receive_nothing()
    await again.send_input({"type": "http.request"})
    await again.wait()
