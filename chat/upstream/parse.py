"""Understanding what comes: the events of either API, put together into one reply.

Events are the provider's JSON as it is. Whatever in it is not as documented raises `AttributeError`,
`TypeError` or the like, which `errors.mapped` takes for an unreadable answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from chat.prompting.token_budget import estimate_tokens
from chat.upstream import errors
from queueing.api import JobError

Event = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """A finished answer."""

    text: str
    model: str
    """The model that answered, as the provider names it."""
    input_tokens: int
    output_tokens: int
    truncated: bool
    """The answer reached its length limit; `text` is what there is of it."""
    cached_tokens: int = 0
    """Those of the input that the provider had read before."""
    estimated: bool = False
    """The provider did not count the tokens, so we did, roughly."""
    by_fallback: bool = False
    """Not the model that is set up answered, but the one for when it cannot."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one call of the provider used, however it ended."""

    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    estimated: bool
    ended: Literal["stop", "length", "failed", "cancelled"]


@dataclass
class Draft:
    """An answer as it comes in. `ended` once the provider has said that it is over."""

    model: str
    asked: Callable[[], int] = lambda: 0
    """Tokens of the request, estimated."""
    begun: bool = False
    """The provider has begun to answer, so it has read the request."""
    pieces: list[str] = field(default_factory=list)
    refusal: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    ended: bool = False
    truncated: bool = False
    filtered: bool = False

    def add(self, text: str | None) -> str:
        """Take in a piece and return it fit for storing: neither NUL nor half a surrogate pair."""
        if not text:
            return ""
        piece = text.replace("\0", "").encode("utf-8", "replace").decode()
        self.pieces.append(piece)
        return piece

    def finished(self) -> Reply:
        """The reply, or the `JobError` that says why there is none."""
        if not self.ended:
            raise errors.cut_off()
        if self.refusal:
            raise errors.refused(self.refusal)
        if self.filtered:
            raise errors.filtered()
        text = "".join(self.pieces)
        if not text.strip():
            raise errors.no_room() if self.truncated else errors.empty_answer()
        spent = self.spent("length" if self.truncated else "stop")
        return Reply(
            text,
            self.model,
            spent.input_tokens,
            spent.output_tokens,
            self.truncated,
            spent.cached_tokens,
            spent.estimated,
        )

    def count(self, usage: Event, read: str, written: str) -> None:
        """Take in what the provider counted, under the names that its API has for what it read and wrote."""
        self.input_tokens = usage.get(read) or 0
        self.output_tokens = usage.get(written) or 0
        self.cached_tokens = (usage.get(f"{read}_details") or {}).get("cached_tokens") or 0

    def spent(self, ended: Literal["stop", "length", "failed", "cancelled"]) -> Spent:
        """What this has used so far: as the provider counted it, or else an estimate."""
        counted = bool(self.input_tokens or self.output_tokens)
        said = "".join(self.pieces) + self.refusal
        return Spent(
            model=self.model,
            input_tokens=self.input_tokens if counted else self.asked(),
            output_tokens=self.output_tokens if counted else estimate_tokens(said),
            cached_tokens=self.cached_tokens,
            estimated=not counted,
            ended=ended,
        )


def read_chunk(draft: Draft, chunk: Event) -> str:
    """Take in one chunk of a chat completion; returns the text in it. Raises `JobError` as `read_event`."""
    if error := chunk.get("error"):
        raise _reported(error)
    draft.model = chunk.get("model") or draft.model
    if usage := chunk.get("usage"):
        draft.count(usage, "prompt_tokens", "completion_tokens")
    if not (choices := chunk.get("choices")):  # the chunk with the usage has none
        return ""
    if finish := choices[0].get("finish_reason"):
        draft.ended = True
        draft.truncated = finish == "length"
        draft.filtered = finish == "content_filter"
    delta = choices[0].get("delta") or {}
    draft.refusal += delta.get("refusal") or ""
    return draft.add(delta.get("content"))


def read_event(draft: Draft, event: Event) -> str:
    """Take in one event of the Responses API; returns the text in it.

    Raises `JobError` for the events that report a failure.
    """
    match event.get("type"):
        case "response.output_text.delta":
            return draft.add(event["delta"])
        case "response.refusal.delta":
            draft.refusal += event["delta"]
        case "response.completed" | "response.incomplete":
            return _finish(draft, event["response"])
        case "response.failed":
            raise _reported(event["response"].get("error") or {})
        case "error":
            raise _reported(event.get("error") or event)
    if error := event.get("error"):
        raise _reported(error)
    return ""


def _reported(error: Any) -> JobError:
    """`error` as providers give it: an object, or only words."""
    if not isinstance(error, dict):
        return errors.reported(set(), str(error))
    words = {str(error.get(name) or "") for name in ("code", "type")}
    return errors.reported(words - {""}, str(error.get("message") or ""))


def _finish(draft: Draft, response: Event) -> str:
    draft.ended = True
    draft.model = response.get("model") or draft.model
    if usage := response.get("usage"):
        draft.count(usage, "input_tokens", "output_tokens")
    if why := response.get("incomplete_details"):
        draft.filtered = why.get("reason") == "content_filter"
        draft.truncated = not draft.filtered
    if draft.pieces or draft.refusal:
        return ""
    return draft.add(_whole_text(draft, response))


def _whole_text(draft: Draft, response: Event) -> str:
    """The answer of a server that sends it at the end, with no deltas before."""
    parts = [part for item in response.get("output") or [] for part in item.get("content") or []]
    draft.refusal += "".join(part["refusal"] for part in parts if part.get("type") == "refusal")
    return "".join(part["text"] for part in parts if part.get("type") == "output_text")
