"""A job's events over HTTP, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from chat.conversations.serializers import decorate
from chat.errors import InvalidInput
from queueing.api import Job, events

from . import texts

#: Seconds without an event after which a comment is sent, so that proxies keep the connection.
KEEP_ALIVE = 15.0


def resume_from(request: HttpRequest, offset: int) -> tuple[int | None, int]:
    """Return run and offset to resume from: `Last-Event-ID` of a reconnecting browser, else the query's."""
    last = request.headers.get("Last-Event-ID", "")
    if not last:
        return None, offset
    try:
        run, position = (int(part) for part in last.split("."))
    except ValueError:
        raise InvalidInput("Last-Event-ID", texts.INVALID_EVENT_ID) from None
    return run, position


def event_stream(job: Job, *, run: int | None, offset: int) -> StreamingHttpResponse:
    """Return the response that follows `job` to its end."""
    frames = _frames(events.follow(job, run=run, offset=offset))
    response = StreamingHttpResponse(frames, content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # nginx would buffer it
    return response


async def _frames(source: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """Yield the events of `source` as frames, with a comment when there are none for a while."""
    yield ": hello\n\n"
    upcoming = asyncio.ensure_future(anext(source, None))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=KEEP_ALIVE)
            if not done:
                yield ": still here\n\n"
                continue
            event = upcoming.result()
            if event is None:
                return
            yield await asyncio.to_thread(frame, event)
            upcoming = asyncio.ensure_future(anext(source, None))
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await source.aclose()  # type: ignore[attr-defined]  # follow() is a generator: this unsubscribes it


def frame(event: dict[str, Any]) -> str:
    """Return one event as a frame. The id of a `delta` is the position after its text."""
    lines = [f"event: {event['type']}", f"data: {json.dumps(decorate(event), ensure_ascii=False)}"]
    if event["type"].endswith(":delta"):
        lines.insert(0, f"id: {event['run']}.{event['offset'] + len(event['text'])}")
    return "\n".join(lines) + "\n\n"
