"""The check of the origin of a WebSocket: pages of this site, and programs with a token."""

from typing import Any

from channels.security.websocket import AllowedHostsOriginValidator

from .tokens import secret_in_handshake


class OriginOrToken:
    """An `AllowedHostsOriginValidator` that lets programs with a token omit the `Origin` header.

    Browsers always send `Origin` and no page can hide it, so a client without it is not a browser.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._validated = AllowedHostsOriginValidator(inner)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        has_origin = any(name == b"origin" for name, _ in scope["headers"])
        is_program = not has_origin and secret_in_handshake(scope)[0] is not None
        return await (self._inner if is_program else self._validated)(scope, receive, send)
