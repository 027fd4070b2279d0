"""The bounds of Daphne, which reads a whole body before the application sees the request.

`install` puts these classes in the place of Daphne's own, however it was started. They bound what a client
makes the process hold: bodies (each, and together), the time to send them, connections, frames of sockets.
"""

import resource
import tempfile
from collections import Counter
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from daphne import http_protocol, server, ws_protocol
from django.conf import settings
from twisted.internet import reactor as _reactor
from twisted.web import http

from chat.limits.addresses import client_address

from .refusals import NO_ROOM, TOO_LARGE, Refused
from .sizes import max_body

#: Bytes of all bodies that a process holds, and of those of one client.
ALL_BODIES, BODIES_OF_CLIENT = 64 * 1024 * 1024, 32 * 1024 * 1024
#: Bytes of a body from which it is on disk and not in memory.
IN_MEMORY = 100_000
#: Seconds in which a client must send a request's head, and then each further piece of its body.
PATIENCE, PIECE = 20, 64 * 1024
#: Seconds that a connection is kept between two requests.
IDLE = 60
#: Seconds that a process that stops waits for the first byte of a new connection.
FIRST_BYTE = 1.0
#: Seconds for which a refused client may read the answer while what it sends is thrown away.
LINGER = 2
#: Bytes of a frame of a socket. The application refuses frames of half this size, with an event that says so.
MAX_FRAME = 256 * 1024
#: Frames of a socket that the application has not read, and the seconds until they are counted again.
UNREAD_FRAMES, UNREAD_PAUSE = 64, 0.05
#: Connections of a process: its open files, without those of the database, of Redis and of bodies.
ALL_CONNECTIONS = max(100, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)


class Shares:
    """What the clients of this process hold, in all and by address."""

    def __init__(self) -> None:
        self._by_client: Counter[str] = Counter()
        self.total = 0

    def add(self, client: str, amount: int) -> None:
        """Add an amount, which may be negative."""
        self.total += amount
        self._by_client[client] += amount
        if not self._by_client[client]:
            del self._by_client[client]

    def of(self, client: str) -> int:
        """Return what a client holds; 0 if its address is unknown."""
        return self._by_client[client] if client else 0


reactor: Any = _reactor
_bodies = Shares()
_connections = Shares()
#: The connections of HTTP. One that became a socket is none of them.
open_channels: "WeakSet[BoundedChannel]" = WeakSet()


class BoundedRequest(http_protocol.WebRequest):
    """A request that is refused as soon as its body is too large, and whose form only Django reads."""

    def __init__(self, channel: Any, *_queued: Any) -> None:
        super().__init__(channel, parsePOSTFormSubmission=False)
        self._counted_for = ""
        self._received = 0
        self._most = 0
        self._refused = False

    def gotLength(self, length: int | None) -> None:
        """Prepare for a body of `length` bytes, or of unknown length. Called when the head is complete."""
        self.content = _file()
        self._most = max_body(self.channel._path.partition(b"?")[0].decode("latin-1"))
        self._counted_for = client_address(_scope_of(self))
        if length is not None and length > self._most:
            self._refuse(TOO_LARGE)

    def handleContentChunk(self, data: bytes) -> None:
        """Store a piece of the body."""
        if self._refused:
            return
        self._hold(len(data))
        if self._received > self._most:
            self._refuse(TOO_LARGE)
        elif _bodies.total > ALL_BODIES or _bodies.of(self._counted_for) > BODIES_OF_CLIENT:
            self._refuse(NO_ROOM)
        else:
            super().handleContentChunk(data)

    def requestReceived(self, *line: bytes) -> None:
        """Process the request, of which everything has come."""
        if not self._refused:
            super().requestReceived(*line)

    def process(self) -> Any:
        """Hand the request to the application, or the connection to a socket."""
        done = super().process()
        if self.transport is None:  # it became a socket
            self._hold(-self._received)
            self.channel.forget()
        return done

    def finish(self) -> None:
        """End the answer."""
        self._hold(-self._received)
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        """Forget a request whose client has gone."""
        self._hold(-self._received)
        super().connectionLost(reason)

    def _hold(self, size: int) -> None:
        self._received += size
        _bodies.add(self._counted_for, size)

    def _refuse(self, refused: Refused) -> None:
        self._refused = True
        self._hold(-self._received)
        self.content = _file()
        self.channel.refuse(refused)


def _file() -> Any:
    return tempfile.SpooledTemporaryFile(IN_MEMORY)


def _scope_of(request: Any) -> Mapping[str, Any]:
    """Return the parts of an ASGI scope that name the client."""
    headers = [
        (name.lower(), value)
        for name, values in request.requestHeaders.getAllRawHeaders()
        for value in values
    ]
    return {"client": (getattr(request.client, "host", ""), 0), "headers": headers}


class BoundedChannel(http.HTTPChannel):
    """A connection whose client must send at a minimum speed, and which counts among those of its client."""

    transport: Any
    _client = ""
    _is_counted = False
    _is_refused = False
    #: Bytes of a request since its client was given time.
    _piece = 0
    #: Whether a request has come, and when the connection was made.
    _has_asked, _since = False, 0.0

    def connectionMade(self) -> None:
        """Count the connection, or abort it when there are too many."""
        super().connectionMade()
        peer = getattr(self.transport.getPeer(), "host", "")
        # Behind proxies all connections are theirs, and they limit those of their clients.
        self._client = "" if settings.TRUSTED_PROXIES else client_address({"client": (peer, 0)})
        self._is_counted = True
        open_channels.add(self)
        self._since = reactor.seconds()
        _connections.add(self._client, 1)
        most = 2 * settings.LIMIT_OPEN or ALL_CONNECTIONS
        if _connections.total > ALL_CONNECTIONS or _connections.of(self._client) > most:
            self.transport.abortConnection()

    def resetTimeout(self) -> None:
        """Do nothing: a byte gives its client no time."""

    def dataReceived(self, data: bytes) -> None:
        """Receive data. The beginning of a request and each further piece give the client time."""
        if self._is_refused:
            return
        if not self._handlingRequest:
            if not self._piece or self._piece + len(data) > PIECE:
                self.setTimeout(PATIENCE)
                self._piece = 0
            self._piece += len(data)
        super().dataReceived(data)

    def allContentReceived(self) -> None:
        """Hand over a request that has come whole."""
        self._piece, self._has_asked = 0, True
        self.setTimeout(IDLE)  # for the time after its answer
        super().allContentReceived()

    def refuse(self, refused: Refused) -> None:
        """Send the answer and end the connection. The client has a moment to read it."""
        self._is_refused = True
        self.setTimeout(None)
        lines = [f"HTTP/1.1 {refused.status} {refused.title}".encode()]
        lines += [b"%s: %s" % header for header in refused.headers]
        self.transport.write(b"\r\n".join([*lines, b"", refused.body]))
        self.transport.loseWriteConnection()
        reactor.callLater(LINGER, self.transport.abortConnection)

    def end_when_idle(self) -> None:
        """Close the connection, now if no request comes, else after its answer."""
        self.persistent = 0
        is_new = not self._has_asked and reactor.seconds() - self._since < FIRST_BYTE
        if not (self._handlingRequest or self._piece or is_new):
            self.loseConnection()

    def _send100Continue(self) -> None:
        if not self._is_refused:
            super()._send100Continue()

    def connectionLost(self, reason: Any = None) -> None:
        """Forget the connection."""
        self.forget()
        super().connectionLost(reason)

    def forget(self) -> None:
        """Count the connection no longer: it is closed, or a socket, which counts as an open request."""
        if self._is_counted:
            self._is_counted = False
            open_channels.discard(self)
            _connections.add(self._client, -1)


class BoundedSocket(ws_protocol.WebSocketProtocol):
    """A socket that reads no further while the application, or the client, has much to read."""

    _client_is_behind = False

    def connectionMade(self) -> None:
        """Hear from the connection when what was written waits for the client: 64 kB, and when none does."""
        super().connectionMade()
        self.transport.unregisterProducer()  # of the request that became this socket
        self.transport.registerProducer(self, True)

    def pauseProducing(self) -> None:
        """Read no further: each frame, also a ping, would have an answer that waits in memory."""
        self._client_is_behind = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on: the client has read everything."""
        self._client_is_behind = False
        self._read_on()

    def stopProducing(self) -> None:
        """Do nothing: the connection is closed."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Hand a frame to the application."""
        super().onMessage(payload, isBinary)
        if self.application_queue.qsize() > UNREAD_FRAMES:
            self.transport.pauseProducing()
            reactor.callLater(UNREAD_PAUSE, self._read_on)

    def _read_on(self) -> None:
        if self.application_queue.qsize() <= UNREAD_FRAMES:
            if not self._client_is_behind:
                self.transport.resumeProducing()
        elif self.state == self.STATE_OPEN:
            reactor.callLater(UNREAD_PAUSE, self._read_on)


class BoundedFactory(http_protocol.HTTPFactory):
    """The factory of connections. It also sets what the server would say and accept without need."""

    protocol = staticmethod(lambda: http._GenericHTTPChannelProtocol(BoundedChannel()))

    def __init__(self, of: server.Server) -> None:
        of.server_name = ""
        of.websocket_max_message_size = of.websocket_max_frame_size = MAX_FRAME
        super().__init__(of)

    def buildProtocol(self, addr: Any) -> Any:
        """Return the protocol of a connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


def install() -> None:
    """Use these bounds in the Daphne of this process, which looks both names up when it starts."""
    server.HTTPFactory = BoundedFactory
    ws_protocol.WebSocketFactory.protocol = BoundedSocket
