"""The connection of a client over HTTP: the operations of the API."""

import json
from typing import Annotated, Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router
from pydantic import Field

from chat import limits
from chat.limits.addresses import client_address
from chat.protocol.openapi import errors, other_than_json
from chat.protocol.schemas.base import CamelSchema, example

from . import http_wire
from .flow_control import MESSAGE_BURST

router = Router(by_alias=True, exclude_unset=True)


class ConnectionIn(CamelSchema):
    """Messages as a WebSocket carries them, in order."""

    model_config = example(messages=[{"type": "ping", "t": 1}])

    messages: list[dict[str, Any]] = Field(max_length=int(MESSAGE_BURST))
    stream: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    """The id in the `hello` of an open stream."""


class ConnectionOut(CamelSchema):
    """The events that answer."""

    events: list[dict[str, Any]]


_EVENT = {
    "type": "object",
    "properties": {"data": {"type": "string", "contentMediaType": "application/json"}},
    "required": ["data"],
}
_EVENTS = """\
data: {"type": "hello", "owner": "s:…", "adopted": "", "demo": false, "stream": "0198…"}

data: {"type": "chat:delta", "jobId": "0198…", "run": 1, "attempt": 1, "offset": 0, "text": "Start in Al"}

data: {"type": "close", "code": 4401}
"""


@router.get(
    "/connection",
    response={200: None} | errors(),
    openapi_extra=other_than_json("text/event-stream", _EVENTS, _EVENT),
    tags=["connection"],
)
async def open_stream(request: HttpRequest) -> StreamingHttpResponse:
    """Follow all your jobs and conversations as `text/event-stream`: what the WebSocket sends.

    Each event has only `data`. The stream has no end, unless the server says `close` with a code of the
    WebSocket. Send messages with its `stream`, the id in `hello`.
    """
    return http_wire.event_stream(request)


@router.post("/connection", response={200: ConnectionOut} | errors(400, 413, 422), tags=["connection"])
async def send_messages(request: HttpRequest, body: ConnectionIn) -> dict[str, Any]:
    """Send messages of the WebSocket over HTTP.

    With `stream` they are answered there. Without it, or if that stream cannot be reached, the answer has
    the greeting and the events. Each message counts as a request.
    """
    if len(body.messages) > 1:
        await sync_to_async(limits.check)("requests", client_address(request), len(body.messages) - 1)
    frames = [_frame(message) for message in body.messages]
    if body.stream and await http_wire.hand_over(request, body.stream, frames):
        return {"events": []}
    return {"events": await http_wire.answers(request, frames)}


def _frame(message: dict[str, Any]) -> str:
    """Return a message as a WebSocket would carry it: its size counts there."""
    text = json.dumps(message, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which the consumer refuses
        return json.dumps(message)
    return text
