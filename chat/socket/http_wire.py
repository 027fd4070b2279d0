"""The connection of a client over HTTP, where a network forbids WebSockets: a stream, and messages by POST.

The consumer is the one of the WebSocket. Here is the wire: what the consumer sends becomes events of a
stream or of one answer, and what the client posts becomes frames.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from channels.layers import get_channel_layer
from django.http import HttpRequest, StreamingHttpResponse

from chat.accounts.access import access_keys
from chat.accounts.access.sessions.store import stored_key
from chat.protocol import sse
from queueing.api import new_id, redis
from queueing.api.events import Event

from .consumer import ChatConsumer, group_of_stream

#: The first bytes of a stream. Some proxies hold back less than this.
PADDING = f": {'.' * 2048}\n\n"
#: Seconds that the consumer of a stream has to end when its client has gone.
_END_WITHIN = 5.0
#: The code of a stream whose consumer has failed, as for sockets.
_BROKEN = 1011

_consumer: Any = ChatConsumer.as_asgi()
Messages = asyncio.Queue[dict[str, Any]]
#: The streams of this process, by id: what their clients send.
_streams: dict[str, Messages] = {}


def event_stream(request: HttpRequest) -> StreamingHttpResponse:
    """Return the response that sends all events of the client's owner, until one of both goes."""
    response = sse.response(_frames(request))
    response.ends_itself = True  # the consumer does, and says why
    return response


async def _frames(request: HttpRequest) -> AsyncIterator[str]:
    yield sse.HELLO
    yield PADDING
    async with aclosing(sse.with_pauses(_messages(request))) as messages:
        async for message in messages:
            if message is None:
                yield sse.STILL_HERE
            elif message["type"] == "websocket.send":
                yield f"data: {message['text']}\n\n"
            elif message["type"] == "websocket.close":
                yield f"data: {json.dumps({'type': 'close', 'code': message.get('code') or _BROKEN})}\n\n"
                return


async def _messages(request: HttpRequest) -> AsyncGenerator[dict[str, Any], None]:
    """Yield what the consumer sends, to its `websocket.close`."""
    stream, incoming, outgoing = new_id().hex, Messages(), Messages()
    incoming.put_nowait({"type": "websocket.connect"})
    running = asyncio.ensure_future(_consumer(_scope(request, stream), incoming.get, outgoing.put))
    running.add_done_callback(lambda _: outgoing.put_nowait({"type": "websocket.close"}))
    _streams[stream] = incoming
    try:
        while True:
            yield await outgoing.get()
    finally:
        del _streams[stream]
        incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait({running}, timeout=_END_WITHIN)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _scope(request: HttpRequest, stream: str = "") -> dict[str, Any]:
    """Return the scope that a WebSocket with the headers of `request` would have."""
    scope = request.scope
    return {
        "type": "websocket",
        "path": scope["path"],
        "headers": scope["headers"],
        "client": scope.get("client"),
        "cookies": request.COOKIES,
        "session": request.session,
        "user": request.user,
        "stream": stream,
    }


async def hand_over(request: HttpRequest, stream: str, frames: Sequence[str]) -> bool:
    """Hand frames to the consumer of a stream; return False if none can be reached."""
    key = access_keys.of_request(request).removeprefix(access_keys.UNSTORED)
    message = {"type": "client.frames", "session": stored_key(key), "frames": list(frames)}
    if stream in _streams:  # in this process, also without Redis
        _streams[stream].put_nowait(message)
        return True
    layer = get_channel_layer()
    try:
        await layer.group_send(group_of_stream(stream), message)
    except redis.Unavailable:
        return False
    return True


async def answers(request: HttpRequest, frames: Sequence[str]) -> list[Event]:
    """Return the events with which the consumer greets and answers a client that only posts."""
    script: list[dict[str, Any]] = [{"type": "websocket.connect"}]
    script += [{"type": "websocket.receive", "text": frame} for frame in frames]
    script += [{"type": "websocket.disconnect", "code": 1000}]
    upcoming, sent = iter(script), list[Event]()

    async def receive() -> dict[str, Any]:
        message = next(upcoming, None)
        return message if message else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            sent.append(json.loads(message["text"]))

    await _consumer(_scope(request), receive, send)
    return sent
