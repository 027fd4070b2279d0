"""The bounds of a socket: what its client, or the application, has not read yet."""

from typing import Any

from daphne import ws_protocol
from twisted.internet import reactor as _reactor

from .sending import send_now

#: Frames of a socket that the application has not read, and the seconds until they are counted again.
UNREAD_FRAMES, UNREAD_PAUSE = 64, 0.05

reactor: Any = _reactor


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

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Send at once what the kernel takes."""
        if not (sync or chopsize or self.send_queue):
            data = send_now(self.transport, data)
        if data:
            super().sendData(data, sync, chopsize)

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
