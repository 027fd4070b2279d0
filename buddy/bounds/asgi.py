"""The bounds that hold with every ASGI server: the size of a body, and the open requests of a client."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from django.conf import settings

from chat.limits.addresses import client_address

from .refusals import TOO_LARGE, TOO_MANY_OPEN, Refused
from .sizes import max_body

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: Load balancers ask these. They are answered also when a client of the same address holds all it may.
_PROBES = ("/healthz", "/readyz")


class Bounded:
    """An application around `inner` that refuses too large bodies, and too many open requests of a client.

    Requests, event streams and sockets are open until they end. They are counted in each process.
    """

    def __init__(self, inner: Callable[[Scope, Receive, Send], Awaitable[Any]]) -> None:
        self._inner = inner
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        client = client_address(scope) if scope.get("path") not in _PROBES else ""
        if client and settings.LIMIT_OPEN and self._open[client] >= settings.LIMIT_OPEN:
            return await _refuse(scope, send, TOO_MANY_OPEN)
        self._open[client] += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._inner(scope, receive, send)
        most = max_body(scope["path"])
        if _declared_length(scope["headers"]) > most:
            return await _refuse(scope, send, TOO_LARGE)
        try:
            await self._inner(scope, _counted(receive, most), send)
        except Refused as refused:  # the body is read before anything is answered
            await _refuse(scope, send, refused)


def _declared_length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the length in the headers; 0 for a body without one, or with a length that is no number."""
    found = next((value for name, value in headers if name.lower() == b"content-length"), b"")
    return int(found) if found.isdigit() and len(found) < 20 else 0


def _counted(receive: Receive, most: int) -> Receive:
    """Return a `receive` that raises `Refused` when the body has more than `most` bytes."""
    received = 0

    async def counted() -> dict[str, Any]:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise TOO_LARGE
        return message

    return counted


async def _refuse(scope: Scope, send: Send, refused: Refused) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})  # answers the handshake with 403
        return
    await send({"type": "http.response.start", "status": refused.status, "headers": refused.headers})
    await send({"type": "http.response.body", "body": refused.body})
