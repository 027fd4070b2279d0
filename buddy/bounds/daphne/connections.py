"""The bounds of a connection: how many there are, and the time that its client has to send."""

import resource
from typing import Any
from weakref import WeakSet

from django.conf import settings
from twisted.internet import reactor as _reactor
from twisted.web import http

from buddy.bounds.refusals import Refused
from chat.limits.addresses import client_address

from .shares import Shares

#: Seconds in which a client must send a request's head, and then each further piece of its body.
PATIENCE, PIECE = 20, 64 * 1024
#: Seconds that a connection is kept between two requests.
IDLE = 60
#: Seconds that a process that stops waits for the first byte of a new connection.
FIRST_BYTE = 1.0
#: Seconds for which a refused client may read the answer while what it sends is thrown away.
LINGER = 2
#: Connections of a process: its open files, without those of the database, of Redis and of bodies.
ALL_CONNECTIONS = max(100, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)

reactor: Any = _reactor
connections = Shares()
#: The connections of HTTP. One that became a socket is none of them.
open_channels: "WeakSet[BoundedChannel]" = WeakSet()


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
        connections.add(self._client, 1)
        most = 2 * settings.LIMIT_OPEN or ALL_CONNECTIONS
        if connections.total > ALL_CONNECTIONS or connections.of(self._client) > most:
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
            connections.add(self._client, -1)
