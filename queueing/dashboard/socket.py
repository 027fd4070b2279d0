"""`/ws/queue`: one open tab of the page.

To the tab:   {"type": "parts", "round", "at", "parts": {name: HTML}}   what has changed
              {"type": "trouble", "text"}                              it cannot be read just now
From the tab: {"seen": round}                     read up to there: who does not say so is sent no more
              {"show": {"queue", "span"}}         look elsewhere

A plain ASGI application and no consumer of Channels': those begin by joining the channel layer, which is
in Redis, and this page has to open when Redis is away.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from queueing.record.database_thread import in_thread

from .broadcast import Board
from .client import Message, Tab
from .viewer import View, is_staff


async def dashboard(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The ASGI application. `scope` has been given `user` and `session` (`AuthMiddlewareStack`)."""
    await receive()  # websocket.connect
    if not is_staff(scope["user"]):
        return await send({"type": "websocket.close"})  # the handshake is answered with 403
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    tab = Tab(scope["session"].session_key, await in_thread(View.of)(scope["user"], asked), send)
    await send({"type": "websocket.accept"})
    board = Board.for_running_loop()
    board.add(tab)
    try:
        await board.show(tab)
        while (message := await receive())["type"] != "websocket.disconnect":
            if tab.hears(message.get("text") or ""):
                await board.show(tab)
    finally:
        board.discard(tab)
