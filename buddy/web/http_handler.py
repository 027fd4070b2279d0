"""Django's ASGI handler, for requests that may last: nothing that waits holds a thread or a connection."""

import asyncio
import logging
import re
from typing import Any
from weakref import WeakSet

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries

from buddy.alerts import watch
from queueing.api import log_ids, new_id, tracing
from queueing.api.database import SerialThread, TidyThreads

from .loop_watch import LoopWatch

logger = logging.getLogger(__name__)

#: Threads for work that belongs to no request, for example that of sockets.
_THREADS = 32
#: Threads for requests. They are others, since a request's function may wait for work on the ones above.
_REQUEST_THREADS = 64
_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


class HttpHandler(ASGIHandler):
    """Each request has a `SerialThread`, so it keeps no connection between two pieces of work.

    Django itself gives a request's connection back after the last byte of the response, and not at all if
    the response breaks off.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = TidyThreads(_REQUEST_THREADS, thread_name_prefix="request")
        # The threads tidy their connections themselves, and keep those of SQLite for the next request.
        for receiver in (close_old_connections, reset_queries):
            request_started.disconnect(receiver)
        request_finished.disconnect(close_old_connections)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        tracing.arrived()
        async with ThreadSensitiveContext(executor=SerialThread(self._threads)):
            with log_ids(request=_request_id(scope)):
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


def _request_id(scope: Any) -> str:
    """Return the id that the proxy gave the request (`X-Request-ID`), or a new one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else new_id().hex


class TidyLoop:
    """An application around `inner`, for which the threads of the event loop give their connections back.

    Sockets, the rendering of error pages and other work without a request run there. The loop itself is
    watched (`LoopWatch`).
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._loops: WeakSet[asyncio.AbstractEventLoop] = WeakSet()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or socket."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            loop.set_default_executor(TidyThreads(_THREADS, thread_name_prefix="shared"))
            LoopWatch()
            watch.start()
            self._loops.add(loop)
        await self._inner(scope, receive, send)
