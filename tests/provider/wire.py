"""The bytes of the two streaming APIs. Each word costs only one `json.dumps`."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from tests.provider.script import Script

INPUT_TOKENS = 11


def sse(data: dict[str, Any], event: str = "") -> bytes:
    """Return one server-sent event."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def framed(data: bytes) -> bytes:
    """Return one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


async def write_paced(transport: asyncio.Transport, chunks: Iterable[bytes], delay: float) -> None:
    """Write `chunks` with `delay` seconds before each: one timer and one write, no task switch."""
    if not delay:
        for chunk in chunks:
            transport.write(chunk)
        return
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    remaining, due = iter(chunks), loop.time()

    def tick() -> None:
        nonlocal due
        if done.done() or transport.is_closing():
            return
        chunk = next(remaining, None)
        if chunk is None:
            done.set_result(None)
            return
        transport.write(chunk)
        due += delay
        loop.call_at(due, tick)

    due += delay
    loop.call_at(due, tick)
    await done


def error_body(script: Script) -> dict[str, Any]:
    return {
        "error": {"message": script.message, "type": "scripted", "param": None, "code": script.code or None}
    }


def counted(script: Script, words: list[str], read: str = "prompt", written: str = "completion") -> Any:
    """Return the token counts under the names of an API."""
    return {
        f"{read}_tokens": INPUT_TOKENS,
        f"{read}_tokens_details": {"cached_tokens": script.cached_tokens},
        f"{written}_tokens": len(words),
        "total_tokens": INPUT_TOKENS + len(words),
    }


class ChatWire:
    """`/v1/chat/completions`."""

    def __init__(self, number: int, body: dict[str, Any]) -> None:
        self.model = body.get("model", "")
        self._usage_wanted = (body.get("stream_options") or {}).get("include_usage")
        self._base = {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": self.model,
        }
        self._before, self._behind = self._chunk({"content": "@@"}).split(b'"@@"')

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        return sse(self._base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def opening(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def word(self, text: str) -> bytes:
        return self._before + json.dumps(text).encode() + self._behind

    def thought(self, text: str) -> bytes:
        return self._chunk({"reasoning_content": text})

    def ending(self, script: Script, words: list[str]) -> bytes:
        if script.end in ("error", "failed"):
            return sse(error_body(script))
        finish = script.finish or (script.end if script.end in ("length", "content_filter") else "stop")
        refusal = self._chunk({"refusal": script.message}) if script.end == "refusal" else b""
        wanted = self._usage_wanted and script.counts
        usage = sse(self._base | {"choices": [], "usage": counted(script, words)}) if wanted else b""
        done = b"" if script.end == "hang" else b"data: [DONE]\n\n"
        return refusal + self._chunk({}, finish) + usage + done

    def whole(self, script: Script, words: list[str]) -> dict[str, Any]:
        """Return the answer to a request without streaming."""
        refusal = script.message if script.end == "refusal" else None
        message = {"role": "assistant", "content": "".join(words), "refusal": refusal}
        finish = script.end if script.end in ("length", "content_filter") else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return self._base | {
            "object": "chat.completion",
            "choices": [choice],
            "usage": counted(script, words),
        }


class ResponsesWire:
    """`/v1/responses`."""

    def __init__(self, number: int, body: dict[str, Any]) -> None:
        self.model = body.get("model", "")
        self._id = f"resp_{number}"
        self._place = {"item_id": f"msg_{number}", "output_index": 0, "content_index": 0}
        delta = self._event("response.output_text.delta", **self._place, delta="@@")
        self._before, self._behind = delta.split(b'"@@"')

    def _event(self, kind: str, **fields: Any) -> bytes:
        return sse({"type": kind, "sequence_number": 0, **fields}, kind)

    def opening(self) -> bytes:
        response = self._response("in_progress", [])
        item = {"id": self._place["item_id"], "type": "message", "role": "assistant", "content": []}
        return (
            self._event("response.created", response=response)
            + self._event("response.in_progress", response=response)
            + self._event("response.output_item.added", output_index=0, item=item)
        )

    def word(self, text: str) -> bytes:
        return self._before + json.dumps(text).encode() + self._behind

    def thought(self, text: str) -> bytes:
        return self._event("response.reasoning_summary_text.delta", item_id="rs_1", delta=text)

    def ending(self, script: Script, words: list[str]) -> bytes:
        if script.end == "error":
            return self._event("error", code=script.code or None, message=script.message, param=None)
        if script.end == "failed":
            error = {"code": script.code, "message": script.message}
            return self._event("response.failed", response=self._response("failed", [], error=error))
        refusal = b""
        if script.end == "refusal":
            refusal = self._event("response.refusal.delta", **self._place, delta=script.message)
        response = self.whole(script, words)
        return refusal + self._event(f"response.{response['status']}", response=response)

    def whole(self, script: Script, words: list[str]) -> dict[str, Any]:
        """Return the answer to a request without streaming."""
        part = {"type": "output_text", "text": "".join(words), "annotations": []}
        if script.end == "refusal":
            part = {"type": "refusal", "refusal": script.message}
        reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(script.end)
        details = {"reason": reason} if reason else None
        usage = counted(script, words, "input", "output") if script.counts else None
        return self._response(
            "incomplete" if reason else "completed", [part], usage=usage, incomplete_details=details
        )

    def _response(self, status: str, content: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        item = {"id": self._place["item_id"], "type": "message", "role": "assistant", "status": status}
        return {
            "id": self._id,
            "object": "response",
            "created_at": 1_790_000_000,
            "model": self.model,
            "status": status,
            "output": [item | {"content": content}] if content else [],
            "usage": None,
            "error": None,
            "incomplete_details": None,
            **fields,
        }
