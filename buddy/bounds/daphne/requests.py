"""The bounds of a request: the size of its body, and the bytes of all bodies together."""

import tempfile
from collections.abc import Mapping
from typing import Any

from daphne import http_protocol

from buddy.bounds.refusals import NO_ROOM, TOO_LARGE, Refused
from buddy.bounds.sizes import max_body
from chat.limits.addresses import client_address

from .sending import send_waiting
from .shares import Shares

#: Bytes of all bodies that a process holds, and of those of one client.
ALL_BODIES, BODIES_OF_CLIENT = 64 * 1024 * 1024, 32 * 1024 * 1024
#: Bytes of a body from which it is on disk and not in memory.
IN_MEMORY = 100_000

bodies = Shares()


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
        elif bodies.total > ALL_BODIES or bodies.of(self._counted_for) > BODIES_OF_CLIENT:
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
        """End the answer, and send it."""
        transport = self.transport
        self._hold(-self._received)
        super().finish()
        send_waiting(transport)

    def connectionLost(self, reason: Any) -> None:
        """Forget a request whose client has gone."""
        self._hold(-self._received)
        super().connectionLost(reason)

    def _hold(self, size: int) -> None:
        self._received += size
        bodies.add(self._counted_for, size)

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
