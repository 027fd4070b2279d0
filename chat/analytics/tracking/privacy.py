"""Do Not Track and Global Privacy Control, which browsers send with each request and socket."""

from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from typing import Any

_do_not_track: ContextVar[bool] = ContextVar("do_not_track", default=False)

_HEADERS = {(b"dnt", b"1"), (b"sec-gpc", b"1")}


def is_do_not_track() -> bool:
    """Return whether the visitor of the current request or socket asks not to be tracked."""
    return _do_not_track.get()


class DoNotTrackMiddleware:
    """ASGI middleware that sets `is_do_not_track` for the request or socket, including its threads."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        _do_not_track.set(has_do_not_track(scope.get("headers", [])))
        await self._app(scope, receive, send)


def has_do_not_track(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether `headers` contain `DNT: 1` or `Sec-GPC: 1`."""
    return any((bytes(name).lower(), bytes(value).strip()) in _HEADERS for name, value in headers)
