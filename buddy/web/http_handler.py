"""Django's ASGI handler, for requests that may last: nothing that waits holds a thread or a connection."""

import asyncio
import logging
import re
from collections.abc import Coroutine
from contextlib import closing, suppress
from secrets import token_hex
from typing import Any
from weakref import WeakSet

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.urls import ResolverMatch, set_script_prefix

from buddy.alerts import watch
from queueing.api import log_ids, tracing
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
        self._found: dict[str, ResolverMatch] = {}
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

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request as Django does, but take a thread only to close a response that holds files."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            set_script_prefix(get_script_prefix(scope))
            await request_started.asend(sender=self.__class__, scope=scope)
            request, response = self.create_request(scope, body)
            if request is None:
                await self.send_response(response, send)
            else:
                response = await self._until_left(receive, self._answer(request, send))
            if response is None:
                await request_finished.asend(sender=self.__class__)
            elif response.streaming or getattr(request, "_files", None):
                await sync_to_async(response.close)()
            else:
                response.close()

    def resolve_request(self, request: Any) -> ResolverMatch:
        """Return the view of a request. Addresses without parameters are looked for only once."""
        if match := self._found.get(request.path_info):
            request.resolver_match = match
            return match
        found: ResolverMatch = super().resolve_request(request)
        if f"/{found.route}" == request.path_info:  # a pattern or a converter differs from what it matches
            self._found[request.path_info] = found
        return found

    async def _answer(self, request: Any, send: Any) -> Any:
        response = await self.run_get_response(request)
        with suppress(asyncio.CancelledError):  # the client left meanwhile
            await self.send_response(response, send)
        return response

    async def _until_left(self, receive: Any, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what `work` returns; None if the client leaves before, which cancels it."""
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        working = asyncio.create_task(work)
        try:
            await asyncio.wait((leaving, working), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (leaving, working):
                task.cancel()
        with suppress(asyncio.CancelledError, RequestAborted):
            await leaving
        with suppress(asyncio.CancelledError):
            return await working

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
    return given if _REQUEST_ID.fullmatch(given) else token_hex(16)


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
