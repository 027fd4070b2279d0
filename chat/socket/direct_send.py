"""The way of a socket's messages past the middlewares of sessions, which look at each one in vain."""

from typing import Any

from channels.auth import AuthMiddlewareStack

#: The name in a scope of the server's own `send`.
DIRECT_SEND = "direct_send"


class Authenticated:
    """An application whose scope has `session` and `user`, as with `AuthMiddlewareStack`, and `DIRECT_SEND`.

    The middlewares save sessions only with answers of HTTP.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = AuthMiddlewareStack(inner)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        return await self._inner(scope | {DIRECT_SEND: send}, receive, send)
