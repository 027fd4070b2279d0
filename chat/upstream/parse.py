"""Parse the events of both streaming APIs into one reply.

Events are the provider's JSON without validation. A field that is not as documented raises `AttributeError`,
`TypeError` or the like, which `errors.as_job_error` reports as an unreadable answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from chat.prompting.token_budget import estimate_tokens
from chat.upstream import errors
from queueing.api import JobError

Event = dict[str, Any]


@dataclass(frozen=True)
class ModelReply:
    """A finished answer of the model."""

    text: str
    model: str
    """The provider's name of the model that answered."""
    input_tokens: int
    output_tokens: int
    truncated: bool
    """True when the answer reached its length limit; `text` is its beginning."""
    cached_tokens: int = 0
    """Input tokens that the provider took from its cache."""
    estimated: bool = False
    """True when the provider sent no token counts and the figures are our estimate."""
    by_fallback: bool = False
    """True when the fallback model answered."""


@dataclass(frozen=True, kw_only=True)
class CallUsage:
    """The tokens that one call of the provider used, also when the call failed or was cancelled."""

    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    estimated: bool
    ended: Literal["stop", "length", "failed", "cancelled"]


@dataclass
class Draft:
    """An answer that is still arriving. `ended` is set when the provider reports its end."""

    model: str
    estimate_input: Callable[[], int] = lambda: 0
    """Returns an estimate of the request's tokens."""
    started: bool = False
    """True when the provider has started to answer, and so has read the request."""
    pieces: list[str] = field(default_factory=list)
    refusal: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    ended: bool = False
    truncated: bool = False
    filtered: bool = False

    def add(self, text: str | None) -> str:
        """Append a piece and return it cleaned for the database: without NUL and half surrogate pairs."""
        if not text:
            return ""
        piece = text.replace("\0", "").encode("utf-8", "replace").decode()
        self.pieces.append(piece)
        return piece

    def finished(self) -> ModelReply:
        """Return the reply. Raises the `JobError` that explains why there is none."""
        if not self.ended:
            raise errors.cut_off()
        if self.refusal:
            raise errors.refused(self.refusal)
        if self.filtered:
            raise errors.filtered()
        text = "".join(self.pieces)
        if not text.strip():
            raise errors.no_room() if self.truncated else errors.empty_answer()
        usage = self.usage("length" if self.truncated else "stop")
        return ModelReply(
            text,
            self.model,
            usage.input_tokens,
            usage.output_tokens,
            self.truncated,
            usage.cached_tokens,
            usage.estimated,
        )

    def count(self, usage: Event, input_name: str, output_name: str) -> None:
        """Store the provider's token counts; each API has its own names for them."""
        self.input_tokens = usage.get(input_name) or 0
        self.output_tokens = usage.get(output_name) or 0
        self.cached_tokens = (usage.get(f"{input_name}_details") or {}).get("cached_tokens") or 0

    def usage(self, ended: Literal["stop", "length", "failed", "cancelled"]) -> CallUsage:
        """Return the tokens used so far: the provider's counts, or an estimate without them."""
        counted = bool(self.input_tokens or self.output_tokens)
        text = "".join(self.pieces) + self.refusal
        return CallUsage(
            model=self.model,
            input_tokens=self.input_tokens if counted else self.estimate_input(),
            output_tokens=self.output_tokens if counted else estimate_tokens(text),
            cached_tokens=self.cached_tokens,
            estimated=not counted,
            ended=ended,
        )


def read_chunk(draft: Draft, chunk: Event) -> str:
    """Apply one chunk of a chat completion and return its text. Raises `JobError` as `read_event` does."""
    if error := chunk.get("error"):
        raise _stream_error(error)
    draft.model = chunk.get("model") or draft.model
    if usage := chunk.get("usage"):
        draft.count(usage, "prompt_tokens", "completion_tokens")
    if not (choices := chunk.get("choices")):  # the chunk with the token counts has none
        return ""
    if finish := choices[0].get("finish_reason"):
        draft.ended = True
        draft.truncated = finish == "length"
        draft.filtered = finish == "content_filter"
    delta = choices[0].get("delta") or {}
    draft.refusal += delta.get("refusal") or ""
    return draft.add(delta.get("content"))


def read_event(draft: Draft, event: Event) -> str:
    """Apply one event of the Responses API and return its text.

    Raises `JobError` for an event that reports a failure.
    """
    match event.get("type"):
        case "response.output_text.delta":
            return draft.add(event["delta"])
        case "response.refusal.delta":
            draft.refusal += event["delta"]
        case "response.completed" | "response.incomplete":
            return _finish(draft, event["response"])
        case "response.failed":
            raise _stream_error(event["response"].get("error") or {})
        case "error":
            raise _stream_error(event.get("error") or event)
    if error := event.get("error"):
        raise _stream_error(error)
    return ""


def _stream_error(error: Any) -> JobError:
    """Return the error for a provider's `error` field, which is an object or only a text."""
    if not isinstance(error, dict):
        return errors.stream_error(set(), str(error))
    codes = {str(error.get(name) or "") for name in ("code", "type")}
    return errors.stream_error(codes - {""}, str(error.get("message") or ""))


def _finish(draft: Draft, response: Event) -> str:
    draft.ended = True
    draft.model = response.get("model") or draft.model
    if usage := response.get("usage"):
        draft.count(usage, "input_tokens", "output_tokens")
    if details := response.get("incomplete_details"):
        draft.filtered = details.get("reason") == "content_filter"
        draft.truncated = not draft.filtered
    if draft.pieces or draft.refusal:
        return ""
    return draft.add(_whole_text(draft, response))


def _whole_text(draft: Draft, response: Event) -> str:
    """Return the text of an answer that the server sends at the end, without deltas before."""
    parts = [part for item in response.get("output") or [] for part in item.get("content") or []]
    draft.refusal += "".join(part["refusal"] for part in parts if part.get("type") == "refusal")
    return "".join(part["text"] for part in parts if part.get("type") == "output_text")
