"""`/ws/queue`: the WebSocket of one open page.

To the page:   {"type": "parts", "round", "at", "parts": {name: HTML}}   the parts that have changed
               {"type": "trouble", "text"}                              the parts cannot be read now
From the page: {"seen": round}                     this round is read; without it no more is sent
               {"show": {"queue", "span"}}         another selection

A plain ASGI application, not a consumer of Channels: those first join the channel layer, which is in Redis,
and this page must open while Redis is unavailable.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from queueing.record.database_thread import in_thread

from .broadcast import Broadcast
from .client import DashboardClient, Message
from .viewer import Viewer, may_open


async def dashboard(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve one socket. `scope` has `user` and `session` (from `AuthMiddlewareStack`)."""
    await receive()  # websocket.connect
    if not await in_thread(may_open)(scope["user"], scope["session"]):
        return await send({"type": "websocket.close"})  # answers the handshake with 403
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    viewer = await in_thread(Viewer.of)(scope["user"], query)
    client = DashboardClient(scope["session"].session_key, viewer, send)
    await send({"type": "websocket.accept"})
    broadcast = Broadcast.for_running_loop()
    broadcast.add(client)
    try:
        await broadcast.show(client)
        while (message := await receive())["type"] != "websocket.disconnect":
            if client.receive(message.get("text") or ""):
                await broadcast.show(client)
    finally:
        broadcast.discard(client)
