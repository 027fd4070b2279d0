"""The check of the origin of a WebSocket: pages of this site, and programs with a token."""

from typing import Any

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chat.accounts.access.tokens import secret_in_handshake


class OriginOrToken:
    """Refuse sockets that a page of another origin opens. Programs with a token may omit the `Origin` header.

    Browsers always send `Origin` and no page can hide it, so a client without it is not a browser. An origin
    is compared as a whole: scheme, host and port. It must be that of `SITE_URL`, of `CLIENT_URL`, or of the
    address that was called.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._denier = WebsocketDenier()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        origin = _header(scope, b"origin")
        if origin is None:
            accepted = secret_in_handshake(scope)[0] is not None
        else:
            accepted = origin in settings.CSRF_TRUSTED_ORIGINS or origin == _own_origin(scope)
        return await (self._inner if accepted else self._denier)(scope, receive, send)


def _own_origin(scope: dict[str, Any]) -> str | None:
    """Return the origin of the address that the client called; None for a host that is not ours."""
    host = _header(scope, b"host") or ""
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return None
    scheme = "https" if scope.get("scheme") == "wss" or _came_by_https(scope) else "http"
    return f"{scheme}://{host.lower()}"


def _came_by_https(scope: dict[str, Any]) -> bool:
    """Return whether the proxy in front says so. Django trusts the same header for pages."""
    if not settings.SECURE_PROXY_SSL_HEADER:
        return False
    name, value = settings.SECURE_PROXY_SSL_HEADER
    sent = _header(scope, name.removeprefix("HTTP_").replace("_", "-").lower().encode())
    return sent is not None and sent.split(",")[0].strip() == value


def _header(scope: dict[str, Any], name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
