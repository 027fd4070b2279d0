"""Do Not Track and Global Privacy Control, as the browser says them with each request and socket."""

from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from typing import Any

_asked: ContextVar[bool] = ContextVar("asked_not_to_track", default=False)

_HEADERS = {(b"dnt", b"1"), (b"sec-gpc", b"1")}


def asked_not_to_track() -> bool:
    """Whether the visitor behind the present request or socket asks not to be tracked."""
    return _asked.get()


class HearWhoAsksNotToBeTracked:
    """ASGI: notes it for all that the request or socket goes on to do, in its threads, too."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        _asked.set(_says_so(scope.get("headers", [])))
        await self._app(scope, receive, send)


def _says_so(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any((bytes(name).lower(), bytes(value).strip()) in _HEADERS for name, value in headers)
