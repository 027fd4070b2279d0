"""A job's events over HTTP, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from chat.conversations.serializers import decorate
from chat.errors import InvalidInput
from chat.protocol import sse
from queueing.api import Job, events

from . import texts


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
    return sse.response(_frames(events.follow(job, run=run, offset=offset)))


async def _frames(source: AsyncGenerator[dict[str, Any], None]) -> AsyncIterator[str]:
    """Yield the events of `source` as frames, with a comment when there are none for a while."""
    yield sse.HELLO
    async with aclosing(sse.with_pauses(source)) as upcoming:
        async for event in upcoming:
            yield sse.STILL_HERE if event is None else await asyncio.to_thread(frame, event)


def frame(event: dict[str, Any]) -> str:
    """Return one event as a frame. The id of a `delta` is the position after its text."""
    lines = [f"event: {event['type']}", f"data: {json.dumps(decorate(event), ensure_ascii=False)}"]
    if event["type"].endswith(":delta"):
        lines.insert(0, f"id: {event['run']}.{event['offset'] + len(event['text'])}")
    return "\n".join(lines) + "\n\n"
