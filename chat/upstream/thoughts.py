"""Separate thoughts in tags (`<think>…</think>`) from the text of an answer, while both arrive.

Only a tag at the first letter of an answer begins thoughts: later ones are words about tags, or code. A tag
that is never closed holds the answer itself, unless the answer reached its length limit within it.

Some servers' templates write the opening tag, so that the answer has only the closing one. It counts where
it stands alone on a line, outside of code. The first such answer of a model shows its thoughts until it is
finished. Then `STARTS_INSIDE` remembers the model, and its next answers are held back until the tag.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_NAMES = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection")
_PAIRS = {f"<{name}>": f"</{name}>" for name in _NAMES} | {"[think]": "[/think]"}
_OPENING, _CLOSING = tuple(_PAIRS), tuple(_PAIRS.values())
_LONGEST = max(map(len, _CLOSING))
#: White space before an answer that is held back until a tag or a word comes.
_MAX_SPACE = 1_000


def _any_of(tags: tuple[str, ...]) -> str:
    return "(?:" + "|".join(map(re.escape, tags)) + ")"


_ANY_OPENING = re.compile(_any_of(_OPENING), re.IGNORECASE)
#: A closing tag alone on its line.
_LONE_CLOSING = re.compile(rf"^[ \t]*{_any_of(_CLOSING)}[ \t]*(?:\n\s*|\Z)", re.IGNORECASE | re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)

#: The models (address and name) whose answers begin within thoughts, as far as this process has seen.
STARTS_INSIDE: set[tuple[str, str]] = set()


class Piece(NamedTuple):
    """A piece of an answer."""

    kind: Literal["text", "thoughts"]
    value: str


class ThoughtFilter:
    """The filter of one answer. With `starts_inside` the answer begins within thoughts, without a tag."""

    def __init__(self, *, starts_inside: bool = False) -> None:
        self._held = ""
        """What arrived and may be a part of a tag, or white space before one."""
        self._closing = _CLOSING if starts_inside else ()
        """Tags that end the present thoughts; empty outside of thoughts."""
        self._unclosed: list[str] = []
        """The present thoughts. Without a closing tag they are the answer."""
        self._has_thoughts = False
        self.began = False
        """Whether the answer itself has begun: no tag counts any more."""

    @property
    def is_inside(self) -> bool:
        """Whether the answer is within thoughts now."""
        return bool(self._closing)

    def feed(self, text: str) -> Iterator[Piece]:
        """Yield the pieces that are certain after `text`."""
        if self.began:
            yield Piece("text", text)
            return
        self._held += text
        while self._held and (step := self._inside() if self._closing else self._at_the_start()):
            if step.value:
                yield step

    def finish(self) -> Iterator[Piece]:
        """Yield what was held back, as the answer: there are no more tags."""
        held = "".join(self._unclosed) + self._held
        self._held, self._unclosed, self._closing, self.began = "", [], (), True
        if held:
            yield Piece("text", held)

    def _at_the_start(self) -> Piece | None:
        """Take a tag, or begin the answer. Return None when more text must decide."""
        start = self._held.lstrip()
        begin = start[:_LONGEST].lower()
        for tag in _OPENING + _CLOSING:  # a closing tag here ends thoughts that came in a field of their own
            if begin.startswith(tag):
                self._held, self._has_thoughts = start[len(tag) :], True
                self._closing = (_PAIRS[tag],) if tag in _PAIRS else ()
                return Piece("thoughts", "")
        may_begin = any(tag.startswith(begin) for tag in _OPENING + _CLOSING)
        if may_begin and len(self._held) < _MAX_SPACE:
            return None
        text, self._held, self.began = start if self._has_thoughts else self._held, "", True
        return Piece("text", text)

    def _inside(self) -> Piece | None:
        """Take thoughts up to their closing tag, or to where it may begin."""
        if found := re.search(_any_of(self._closing), self._held, re.IGNORECASE):
            thoughts, self._held = self._held[: found.start()], self._held[found.end() :]
            self._closing, self._unclosed, self._has_thoughts = (), [], True
            return Piece("thoughts", thoughts)
        end = len(self._held) - max(_overlap(self._held, tag) for tag in self._closing)
        thoughts, self._held = self._held[:end], self._held[end:]
        self._unclosed.append(thoughts)
        return Piece("thoughts", thoughts) if thoughts else None


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` are the beginning of `tag`."""
    sizes = range(min(len(text), len(tag) - 1), 0, -1)
    return next((size for size in sizes if text[-size:].lower() == tag[:size]), 0)


def remember(model: tuple[str, str], *, starts_inside: bool | None) -> None:
    """Remember how the answers of `model` begin; None changes nothing."""
    if starts_inside is not None:
        (STARTS_INSIDE.add if starts_inside else STARTS_INSIDE.discard)(model)


def without_thoughts(text: str) -> str:
    """Return `text` without thoughts at its beginning that have only a closing tag."""
    opening = _ANY_OPENING.search(text)
    fences = at = 0
    for match in _LONE_CLOSING.finditer(text):
        if opening and opening.end() <= match.start():
            return text
        fences += len(_FENCE.findall(text, at, match.start()))
        if fences % 2 == 0:
            return text[match.end() :]
        at = match.start()
    return text
