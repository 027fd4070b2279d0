"""Django's ASGI handler, for requests that may last: nothing that waits holds a thread or a connection."""

import asyncio
import logging
from typing import Any
from weakref import WeakSet

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler

from queueing.api.database import SerialThread, TidyThreads

logger = logging.getLogger(__name__)

#: Threads for work that belongs to no request, for example that of sockets.
_THREADS = 32


class HttpHandler(ASGIHandler):
    """Each request has a `SerialThread`, so it keeps no connection between two pieces of work.

    Django itself gives a request's connection back after the last byte of the response, and not at all if
    the response breaks off.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        async with ThreadSensitiveContext(executor=SerialThread()):
            await self.handle(scope, receive, send)

    async def send_response(self, response: Any, send: Any) -> None:
        """Send a response. A stream that breaks off is ended, since servers would leave it open."""
        try:
            await super().send_response(response, send)
        except Exception:
            if not response.streaming:
                raise
            logger.exception("a streamed response broke off")
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class TidyLoop:
    """An application around `inner`, for which the threads of the event loop give their connections back.

    Sockets, the rendering of error pages and other work without a request run there.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._loops: WeakSet[asyncio.AbstractEventLoop] = WeakSet()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or socket."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            loop.set_default_executor(TidyThreads(_THREADS, thread_name_prefix="shared"))
            self._loops.add(loop)
        await self._inner(scope, receive, send)
