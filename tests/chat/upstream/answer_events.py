"""The events of answers, as providers send them."""

import json
from typing import Any


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> str:
    """Return one event of a chat completion."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]} | fields)}\n\n"


def event(kind: str, **fields: Any) -> str:
    """Return one event of the Responses API."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n"


SAID = chunk({"content": "All "}) + chunk({"content": "said."})
STOP = chunk(finish="stop")
DONE = "data: [DONE]\n\n"
