"""Read the events of both streaming APIs into a draft.

Events are the provider's JSON without validation. A field that is not as documented raises `AttributeError`,
`TypeError` or the like, which `errors.as_job_error` reports as an unreadable answer.
"""

import logging
from typing import Any, Literal

from .content import read_thoughts
from .draft import Draft
from .stream_errors import as_error, error_in

logger = logging.getLogger(__name__)

Event = dict[str, Any]
End = Literal["stop", "length", "filtered", "failed", "unknown"]

#: What the reasons mean for which providers end an answer. A call of a tool is an end: we offer none.
_REASONS: dict[End, tuple[str, ...]] = {
    "stop": (
        *(
            "stop",
            "stop_sequence",
            "end_turn",
            "end",
            "eos",
            "eos_token",
            "stop_token",
            "complete",
            "completed",
        ),
        *("tool_calls", "tool_call", "tool_use", "function_call"),
    ),
    "length": (
        *("length", "max_tokens", "max_output_tokens", "max_length", "model_length", "max_completion_tokens"),
        *("model_context_window_exceeded", "context_length_exceeded", "token_limit"),
    ),
    "filtered": (
        *("content_filter", "content_filtered", "safety", "sensitive", "refusal", "guardrail_intervened"),
        *("recitation", "prohibited_content", "blocklist", "spii", "moderation"),
    ),
    "failed": (
        *(
            "error",
            "network_error",
            "insufficient_system_resource",
            "abort",
            "aborted",
            "cancelled",
            "canceled",
        ),
        *("timeout", "failed"),
    ),
}
_ENDS: dict[str, End] = {reason: end for end, reasons in _REASONS.items() for reason in reasons}


def read_chunk(draft: Draft, chunk: Event) -> None:
    """Add one chunk of a chat completion, or a whole one. Raises `JobError` as `read_event` does."""
    if ("choices" not in chunk or "error" in chunk) and (error := error_in(chunk)):
        raise error
    draft.model = chunk.get("model") or draft.model
    if usage := chunk.get("usage"):
        draft.count(usage, "prompt_tokens", "completion_tokens")
    if not (choices := chunk.get("choices")):  # the chunk with the token counts has none
        return
    choice = choices[0]
    delta = choice.get("delta") or {}
    if not delta and not draft.pieces:  # a server that does not stream
        delta = choice.get("message") or {"content": choice.get("text")}
    if thoughts := read_thoughts(delta):
        draft.think(thoughts)
    draft.refusal += delta.get("refusal") or ""
    draft.add(delta.get("content"))
    if error := choice.get("error"):
        raise as_error(error, choice)
    if reason := choice.get("finish_reason"):
        _end(draft, str(reason))


def read_event(draft: Draft, event: Event) -> None:
    """Add one event of the Responses API, or a whole response.

    Raises `JobError` for an event that reports a failure.
    """
    match event.get("type") if isinstance(event, dict) else None:
        case "response.output_text.delta":
            if event.get("item_id") in draft.comments:
                draft.think(event["delta"])
            else:
                draft.add(event["delta"])
        case "response.refusal.delta":
            draft.refusal += event["delta"]
        case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
            draft.think(event["delta"])
        case "response.output_item.added":
            _begin_item(draft, event.get("item") or {})
        case "response.completed" | "response.incomplete" | "response.done":
            _finish(draft, event["response"])
        case "response.failed" | "response.cancelled":
            raise as_error(event["response"].get("error") or {})
        case _:
            if error := error_in(event):
                raise error
            if event.get("object") == "response":
                _finish(draft, event)


def _begin_item(draft: Draft, item: Event) -> None:
    """Read the announcement of an item: thoughts, a comment before the answer, or the answer."""
    if item.get("type") == "reasoning":
        draft.think("")  # its text may be secret
    elif item.get("phase") == "commentary":
        draft.comments.add(str(item.get("id")))


def _end(draft: Draft, reason: str) -> None:
    """End the draft for the provider's `reason`. Raises `JobError` for a failure."""
    end = _ENDS.get(reason.lower(), "unknown")
    if end == "failed":
        raise as_error({"code": reason, "message": ""})
    if end == "unknown":
        logger.warning("the provider ended an answer for an unknown reason: %.60r", reason)
    draft.ended = True
    draft.truncated = draft.truncated or end in ("length", "unknown")
    draft.filtered = end == "filtered"


def _finish(draft: Draft, response: Event) -> None:
    if response.get("status") in ("failed", "cancelled"):
        raise as_error(response.get("error") or {})
    draft.model = response.get("model") or draft.model
    if usage := response.get("usage"):
        draft.count(usage, "input_tokens", "output_tokens")
    if not draft.pieces and not draft.refusal:
        _add_whole(draft, response)
    reason = (response.get("incomplete_details") or {}).get("reason")
    incomplete = response.get("status") == "incomplete"
    _end(draft, reason or ("incomplete" if incomplete else "stop"))


def _add_whole(draft: Draft, response: Event) -> None:
    """Add the text of an answer that the server sends at the end, without deltas before."""
    for item in response.get("output") or []:
        if item.get("type") not in (None, "message") or item.get("phase") == "commentary":
            continue
        draft.add(item.get("content"))
