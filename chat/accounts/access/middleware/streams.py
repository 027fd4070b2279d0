"""Responses that are sent in pieces, such as downloads and event streams, end with the right to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from chat.accounts.access.access_keys import of_request
from chat.accounts.access.open_sockets import OpenStream
from chat.accounts.access.owners import owner_of_request
from chat.limits.addresses import client_address


@sync_and_async_middleware
def end_streams(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    """Watch the access key of each streamed response, so that no view can forget to.

    A response that does so itself, to say why it ends, has the attribute `ends_itself`.
    """

    def watched(request: HttpRequest, response: Any) -> HttpResponseBase:
        is_endless = response.streaming and response.is_async and not hasattr(response, "ends_itself")
        if is_endless and (key := of_request(request)):
            response.streaming_content = until_ended(response.streaming_content, _opened(request, key))
        return response

    if iscoroutinefunction(get_response):

        async def in_loop(request: HttpRequest) -> HttpResponseBase:
            return watched(request, await get_response(request))

        return in_loop
    return lambda request: watched(request, get_response(request))


def _opened(request: HttpRequest, access_key: str) -> OpenStream:
    owner = getattr(request, "auth", None) or owner_of_request(request)
    return OpenStream(access_key, owner, client_address(request))


async def until_ended(pieces: AsyncIterator[bytes], stream: OpenStream) -> AsyncIterator[bytes]:
    """Yield the pieces until there are no more, or the access key of `stream` may no longer be used."""
    ended = asyncio.ensure_future(stream.wait_until_ended())
    upcoming = None
    try:
        while True:
            upcoming = asyncio.ensure_future(anext(pieces, None))
            await asyncio.wait({upcoming, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() or (piece := upcoming.result()) is None:
                return
            yield piece
    finally:
        tasks = [task for task in (upcoming, ended) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await pieces.aclose()  # type: ignore[attr-defined]  # Django makes it of a generator
