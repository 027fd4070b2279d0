"""Server-sent events: responses that are sent in pieces, which proxies should neither hold back nor end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from django.http import StreamingHttpResponse

#: Seconds without an event after which a comment is sent, so that proxies keep the connection.
KEEP_ALIVE = 15.0
#: The first and the repeated comment.
HELLO, STILL_HERE = ": hello\n\n", ": still here\n\n"

Item = TypeVar("Item")


def response(frames: AsyncIterator[str]) -> StreamingHttpResponse:
    """Return the response that sends these frames."""
    answer = StreamingHttpResponse(frames, content_type="text/event-stream")
    answer["Cache-Control"] = "no-cache, no-transform"
    answer["X-Accel-Buffering"] = "no"  # nginx would buffer it
    return answer


async def with_pauses(source: AsyncGenerator[Item, None]) -> AsyncGenerator[Item | None, None]:
    """Yield the items of `source`, and None whenever there is none for `KEEP_ALIVE` seconds."""
    upcoming = asyncio.ensure_future(anext(source, None))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=KEEP_ALIVE)
            if not done:
                yield None
            elif (item := upcoming.result()) is None:
                return
            else:
                yield item
                upcoming = asyncio.ensure_future(anext(source, None))
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await source.aclose()
