"""Which sockets may be opened at all: pages of ours, and programs that show a token."""

from typing import Any

from channels.security.websocket import AllowedHostsOriginValidator

from .tokens import in_handshake


class OriginOrToken:
    """As `AllowedHostsOriginValidator`, but a program with a token need not name a page.

    Browsers always name the origin, and let no page hide it: so whoever names none is no browser.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._validated = AllowedHostsOriginValidator(inner)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        has_origin = any(name == b"origin" for name, _ in scope["headers"])
        is_program = not has_origin and in_handshake(scope)[0] is not None
        return await (self._inner if is_program else self._validated)(scope, receive, send)
