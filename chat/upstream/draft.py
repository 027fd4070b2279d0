"""Answers of the model: finished (`ModelReply`), and while they arrive (`Draft`)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from chat.prompting.token_budget import estimate_tokens
from chat.upstream import errors

from .content import read_content
from .thoughts import ThoughtFilter, without_thoughts


@dataclass(frozen=True)
class ModelReply:
    """A finished answer of the model."""

    text: str
    model: str
    """The provider's name of the model that answered."""
    input_tokens: int
    output_tokens: int
    truncated: bool
    """True when the answer ended at a limit, or for a reason that is unknown; `text` may be its beginning."""
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
    seconds_of_audio: float = 0.0


#: Tokens of one call above which a provider's count is an error.
_MAX_COUNT = 2**31 - 1


#: Characters of an answer, and of thoughts. A provider that sends more does not keep to any length limit.
MAX_CHARACTERS = 400_000


def _ignore(text: str) -> None:
    """Do nothing with a piece."""


@dataclass
class Draft:
    """An answer that is still arriving. `ended` is set when the provider reports its end."""

    model: str
    estimate_input: Callable[[], int] = lambda: 0
    """Returns an estimate of the request's tokens."""
    on_text: Callable[[str], None] = _ignore
    """Called with each piece of the answer."""
    on_thought: Callable[[str], None] = _ignore
    """Called with each piece of the model's thoughts; an empty one says that the model thinks unseen."""
    thought_filter: ThoughtFilter = field(default_factory=ThoughtFilter)
    started: bool = False
    """True when the provider has started to answer, and so has read the request."""
    pieces: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    _half: str = ""
    """The first half of a surrogate pair whose second half is in the next piece."""
    _length: int = 0
    """Characters of the answer so far."""
    comments: set[str] = field(default_factory=set)
    """Ids of items of a response that comment on the work, and are no part of the answer."""
    refusal: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    ended: bool = False
    truncated: bool = False
    filtered: bool = False
    starts_inside: bool | None = None
    """Whether the answer began within thoughts, without a tag; None when this does not show."""

    def add(self, content: Any) -> None:
        """Append content: a text, or a list of parts."""
        if type(content) is str and content.isascii() and self.thought_filter.began and not self._half:
            if content:  # nearly always
                self._say(content.replace("\0", ""))
            return
        text, thoughts, refusal = read_content(content)
        self.refusal += refusal
        if thoughts:
            self.think(thoughts)
        text = self._half + text
        self._half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        if text := _clean(text[: len(text) - len(self._half)]):
            for kind, value in self.thought_filter.feed(text):
                self.think(value) if kind == "thoughts" else self._say(value)

    def think(self, thoughts: str) -> None:
        """Append thoughts, which are no part of the answer."""
        cleaned = _clean(thoughts)
        self.thoughts.append(cleaned)
        self.on_thought(cleaned)

    def _say(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_CHARACTERS:  # what follows is not read: it would have no end
            self.ended = self.truncated = True
            return
        self.pieces.append(text)
        self.on_text(text)

    def finished(self) -> ModelReply:
        """Return the reply. Raises the `JobError` that explains why there is none."""
        if not self.ended:
            raise errors.cut_off()
        if self.refusal:
            raise errors.refused(self.refusal)
        if self.filtered:
            raise errors.filtered()
        text = self._whole_text()
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

    def _whole_text(self) -> str:
        is_inside = self.thought_filter.is_inside
        if not (is_inside and self.truncated):
            for _, value in self.thought_filter.finish():
                self._say(value)
        said = "".join(self.pieces)
        text = without_thoughts(said)
        if is_inside or text != said:
            self.starts_inside = text != said
        return text

    def count(self, usage: dict[str, Any], input_name: str, output_name: str) -> None:
        """Store the provider's token counts; each API has its own names for them."""
        details = usage.get(f"{input_name}_details")
        self.input_tokens = _count(usage.get(input_name))
        self.output_tokens = _count(usage.get(output_name))
        self.cached_tokens = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0

    def usage(self, ended: Literal["stop", "length", "failed", "cancelled"]) -> CallUsage:
        """Return the tokens used so far: the provider's counts, or an estimate without them."""
        text = "".join(self.pieces) + self.refusal + "".join(self.thoughts)
        return CallUsage(
            model=self.model,
            input_tokens=self.input_tokens or self.estimate_input(),
            output_tokens=self.output_tokens or estimate_tokens(text),
            cached_tokens=self.cached_tokens,
            estimated=not (self.input_tokens and (self.output_tokens or not text)),
            ended=ended,
        )


def _count(value: Any) -> int:
    """Return a count that the provider reported; 0 for anything that is none, which is then estimated."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_COUNT
    return value if is_count else 0


def _clean(text: str) -> str:
    """Return `text` as databases accept it: without NUL and half surrogate pairs."""
    text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
