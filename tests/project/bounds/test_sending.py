"""Frames and answers go to the kernel at once, and behind what waits for a slow client."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import tcp
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock

from buddy.bounds.daphne.sending import send_now, send_waiting

_LONG = bytes(range(256)) * 40_000


class Reactor(Clock):
    """Nothing is readable or writable until the test says so."""

    addReader = removeReader = addWriter = removeWriter = lambda *_: None


@pytest.fixture
def ends() -> Iterator[tuple[Any, socket.socket]]:
    """A connection of Twisted, and its client."""
    ours, client = socket.socketpair()
    transport = tcp.Server(ours, Protocol(), ("", 0), None, 0, Reactor())
    transport.protocol.makeConnection(transport)
    client.setblocking(False)
    yield transport, client
    client.close()
    ours.close()


def received_by(client: socket.socket) -> bytes:
    """Return what has arrived."""
    found = b""
    while True:
        try:
            found += client.recv(1 << 20)
        except BlockingIOError:
            return found


def test_bytes_arrive_before_the_event_loop_runs(ends):
    transport, client = ends
    assert send_now(transport, b"hello") == b""
    assert received_by(client) == b"hello"


def test_bytes_that_the_kernel_does_not_take_are_left(ends):
    transport, client = ends
    rest = send_now(transport, _LONG)
    assert 0 < len(rest) < len(_LONG)
    assert send_now(transport, rest) != b""  # the client has read nothing
    assert _LONG.startswith(received_by(client))


def test_bytes_are_left_while_earlier_ones_wait(ends):
    """Also when the client has read again: nothing passes what waits."""
    transport, client = ends
    transport.write(send_now(transport, _LONG))
    found = received_by(client)
    assert send_now(transport, b"last") == b"last"
    transport.write(b"last")
    while transport.dataBuffer or transport._tempDataBuffer:
        transport.doWrite()
        found += received_by(client)
    assert found == _LONG + b"last"


def test_bytes_for_a_client_that_has_gone_are_left(ends):
    transport, client = ends
    client.close()
    assert send_now(transport, b"hello") == b"hello"


def test_bytes_that_were_written_are_sent_together(ends):
    transport, client = ends
    transport.write(b"head ")
    transport.write(b"body")
    assert received_by(client) == b""
    send_waiting(transport)
    assert received_by(client) == b"head body"


def test_connection_that_ends_after_its_answer_is_closed_by_the_reactor(ends):
    """The reactor must see that the last byte is sent."""
    transport, client = ends
    transport.write(b"bye")
    transport.loseConnection()
    send_waiting(transport)
    assert received_by(client) == b""
    assert transport.doWrite() is not None
    assert received_by(client) == b"bye"
