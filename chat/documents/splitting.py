"""Cutting a text into parts that a model can take in, along its own lines. Pure functions.

The parts together are the text, to the character. A cut is made at the strongest boundary in the second half
of what fits: a heading, a page, a paragraph, a line, a sentence, a word; within a word only when that alone
does not fit.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

#: Characters to a token at most, in any text: where a search for what fits may begin.
_DENSEST = 3
#: Where a cut may be, the strongest first: it is made right after what matches.
_HEADING = re.compile(r"\n(?=#{1,6} \S)")
_BOUNDARIES = (
    _HEADING,
    re.compile(r"\f"),
    re.compile(r"\n[ \t]*\n+"),
    re.compile(r"\n"),
    re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？]"),
    re.compile(r"\s+"),
)
_WITHOUT_HEADINGS = _BOUNDARIES[1:]
#: A sentence's end, a paragraph's, or a line's before a heading, a list's item or a table's row.
_SENTENCE = re.compile(
    r"(?<=[.!?…])[\"'”’»)\]]*\s+(?=[\"'“‘«(\[]?[^\W\d_a-z])|(?<=[。！？])|\n\s*\n|\f"
    r"|\n(?=[ \t]*(?:[|#]|[-*•] |\d+[.)] |```))"
)
_LINE = re.compile(r"\n|\f")
_TITLE = re.compile(r"^#{1,6} (.*)$", re.MULTILINE)
_CODE = re.compile(r"^```.*?(?:^```|\Z)", re.MULTILINE | re.DOTALL)
_LONGEST_HEADING = 60
#: What is counted in kinds without headings, and what comes between two of it.
_UNITS = {"pdf": ("page", r"\f"), "csv": ("row", r"\n"), "docx": ("paragraph", r"\n\n")}


class Span(NamedTuple):
    """Characters `start` to `end` of a text."""

    start: int
    end: int


def split(text: str, fits: Callable[[str], bool], *, most: int, headings: bool = True) -> list[Span]:
    """The parts of `text`: each one `fits`, and none has more than `most` tokens' worth of characters.

    `fits` must hold for all that is shorter than what it holds for, and for any one character.
    """
    parts: list[Span] = []
    start = 0
    while start < len(text):
        end = _reach(text, start, fits, most * _DENSEST)
        if end < len(text):
            end = _boundary(text, start, end, _BOUNDARIES if headings else _WITHOUT_HEADINGS)
        parts.append(Span(start, end))
        start = end
    return parts


def _reach(text: str, start: int, fits: Callable[[str], bool], most: int) -> int:
    """The furthest end of a part that begins at `start`."""
    low, high = start + 1, min(len(text), start + most)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[start:middle]):
            low = middle
        else:
            high = middle - 1
    return low


def _boundary(text: str, start: int, end: int, boundaries: tuple[re.Pattern[str], ...]) -> int:
    """The best place to cut that is not behind `end`."""
    half = (start + end) // 2
    for since in (half, start):
        for boundary in boundaries:
            # Two characters more: what parts two things may begin here and end behind.
            cuts = [found.end() for found in boundary.finditer(text, since, min(end + 2, len(text)))]
            cuts = [cut for cut in cuts if max(since, start) < cut <= end]
            if cuts:
                return cuts[-1]
    return end


def sentences(text: str, *, by_line: bool) -> Iterator[Span]:
    """The sentences of `text` without the space around them; `by_line` where each line stands for itself."""
    start = 0
    for found in (_LINE if by_line else _SENTENCE).finditer(text):
        yield from _trimmed(text, start, found.end())
        start = found.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    words = text[start:end]
    left = len(words) - len(words.lstrip())
    if words := words.strip():
        yield Span(start + left, start + left + len(words))


class Places:
    """Where in a document something stands, in words: its page, row, heading, line or paragraph."""

    def __init__(self, text: str, kind: str) -> None:
        self._headings: list[str] = []
        if kind in ("docx", "md") and (found := _titles(text)):
            self._headings = [match[1].strip() for match in found]
            self._starts = [match.start() for match in found]
            return
        self._unit, boundary = _UNITS.get(kind, ("line", r"\n"))
        self._starts = [match.end() for match in re.finditer(boundary, text)]

    def of(self, span: Span) -> str:
        """`page 5`, `rows 17–40`, `“Methods”`; empty before the first heading."""
        first = bisect_right(self._starts, span.start)
        last = max(first, bisect_right(self._starts, span.end - 1))
        if self._headings:
            return self._sections(first, last)
        return f"{self._unit} {first + 1}" if first == last else f"{self._unit}s {first + 1}–{last + 1}"

    def _sections(self, first: int, last: int) -> str:
        """Sections by number; 0 is what stands before the first heading."""
        names = [_shortened(self._headings[number - 1]) for number in sorted({first, last}) if number]
        return " to ".join(f"“{name}”" for name in names)


def _titles(text: str) -> list[re.Match[str]]:
    """The headings, without what looks like one in a block of code."""
    code = [match.span() for match in _CODE.finditer(text)]
    found = _TITLE.finditer(text)
    return [match for match in found if not any(start < match.start() < end for start, end in code)]


def _shortened(heading: str) -> str:
    return heading if len(heading) <= _LONGEST_HEADING else heading[: _LONGEST_HEADING - 1].rstrip() + "…"
