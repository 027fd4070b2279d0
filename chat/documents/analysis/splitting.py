"""Split a text into parts that fit the model's window, at the text's own boundaries. Pure functions.

The parts joined are exactly the text. A cut is made at the strongest boundary in the second half of the
characters that fit: a heading, a page, a paragraph, a line, a sentence, a word. A word is cut only when it
does not fit alone.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

#: Maximum characters of a token in any text: limits the search for the longest part.
_MAX_TOKEN_CHARACTERS = 3
#: Characters of the first length that is tried for a part.
_FIRST_TRY = 256
#: Boundaries, the strongest first. A cut is made right after the match.
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
#: The end of a sentence or paragraph, or of a line before a heading, a list item or a table row. "3. May" has
#: no end: a number of one or two digits before a full stop counts something.
_SENTENCE = re.compile(
    r"(?<=[.!?…])(?<!\b\d\.)(?<!\b\d\d\.)[\"'”’»)\]]*\s+(?=[\"'“‘«(\[]?[^\W\d_a-z])|(?<=[。！？])|\n\s*\n|\f"
    r"|\n(?=[ \t]*(?:[|#]|[-*•] |\d+[.)] |```))"
)
_LINE = re.compile(r"\n|\f")
_TITLE = re.compile(r"^#{1,6} (.*)$", re.MULTILINE)
_CODE = re.compile(r"^```.*?(?:^```|\Z)", re.MULTILINE | re.DOTALL)
_MAX_HEADING = 60
#: Characters of a sentence that is not short: about as many tokens as its number.
_MIN_PASSAGE = 24
#: The unit that is counted in documents without headings, and its separator, by kind.
_UNITS = {"pdf": ("page", r"\f"), "csv": ("row", r"\n"), "docx": ("paragraph", r"\n\n")}


class Span(NamedTuple):
    """Characters `start` to `end` of a text."""

    start: int
    end: int


def split(text: str, fits: Callable[[str], bool], *, max_tokens: int, headings: bool = True) -> list[Span]:
    """Return the parts of `text`. Each one `fits`, and none can have more than `max_tokens` tokens.

    `fits` must be monotonic (true for every shorter beginning of a text that fits) and true for any one
    character.
    """
    parts: list[Span] = []
    start = 0
    while start < len(text):
        end = _furthest_end(text, start, fits, max_tokens * _MAX_TOKEN_CHARACTERS)
        if end < len(text):
            end = _boundary(text, start, end, _BOUNDARIES if headings else _WITHOUT_HEADINGS)
        parts.append(Span(start, end))
        start = end
    return parts


def _furthest_end(text: str, start: int, fits: Callable[[str], bool], limit: int) -> int:
    """Return the furthest end, within `limit` characters, of a part that begins at `start`.

    Lengths are doubled first, so that the work is in proportion to the length of the part.
    """
    low, end = start + 1, min(len(text), start + limit)
    high = min(end, start + _FIRST_TRY)
    while fits(text[start:high]):
        if high == end:
            return end
        low, high = high, min(end, start + 2 * (high - start))
    while low + 1 < high:  # up to `low` it fits, up to `high` it does not
        middle = (low + high) // 2
        if fits(text[start:middle]):
            low = middle
        else:
            high = middle
    return low


def _boundary(text: str, start: int, end: int, boundaries: tuple[re.Pattern[str], ...]) -> int:
    """Return the best cut that is not after `end`."""
    half = (start + end) // 2
    for since in (half, start):
        for boundary in boundaries:
            # Two characters more: a boundary may begin before `end` and finish after it.
            cuts = [found.end() for found in boundary.finditer(text, since, min(end + 2, len(text)))]
            cuts = [cut for cut in cuts if max(since, start) < cut <= end]
            if cuts:
                return cuts[-1]
    return end


def sentences(text: str, *, by_line: bool) -> Iterator[Span]:
    """Yield the sentences of `text` without surrounding space; `by_line` yields each line as one."""
    start = 0
    for found in (_LINE if by_line else _SENTENCE).finditer(text):
        yield from _trimmed(text, start, found.end())
        start = found.end()
    yield from _trimmed(text, start, len(text))


def passages(text: str, *, by_line: bool) -> Iterator[Span]:
    """Yield the sentences of `text`; short ones that follow each other as one.

    Each passage is numbered in a prompt. So a text of short lines costs in proportion to its size.
    """
    short: Span | None = None
    for sentence in sentences(text, by_line=by_line):
        if sentence.end - sentence.start >= _MIN_PASSAGE:
            if short:
                yield short
            yield sentence
            short = None
            continue
        short = Span(short.start if short else sentence.start, sentence.end)
        if short.end - short.start >= _MIN_PASSAGE:
            yield short
            short = None
    if short:
        yield short


def max_passages(text: str) -> int:
    """Return the maximum number of passages in a text of this length."""
    return 2 * len(text) // _MIN_PASSAGE + 1


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    words = text[start:end].rstrip()
    if words:
        yield Span(start + len(words) - len(words.lstrip()), start + len(words))


class DocumentLocations:
    """Descriptions of locations in a document: by page, row, heading, line or paragraph."""

    def __init__(self, text: str, kind: str) -> None:
        self._headings: list[str] = []
        if kind in ("docx", "md") and (found := _titles(text)):
            self._headings = [match[1].strip() for match in found]
            self._starts = [match.start() for match in found]
            return
        self._unit, boundary = _UNITS.get(kind, ("line", r"\n"))
        self._starts = [match.end() for match in re.finditer(boundary, text)]

    def describe(self, span: Span) -> str:
        """Return `page 5`, `rows 17–40`, `“Methods”` or the like; empty before the first heading."""
        first = bisect_right(self._starts, span.start)
        last = max(first, bisect_right(self._starts, span.end - 1))
        if self._headings:
            return self._sections(first, last)
        return f"{self._unit} {first + 1}" if first == last else f"{self._unit}s {first + 1}–{last + 1}"

    def _sections(self, first: int, last: int) -> str:
        """Return the names of sections by number; 0 is the text before the first heading."""
        names = [_shortened(self._headings[number - 1]) for number in sorted({first, last}) if number]
        return " to ".join(f"“{name}”" for name in names)


def _titles(text: str) -> list[re.Match[str]]:
    """Return the headings, without similar lines in blocks of code. Both are in order: one pass is enough."""
    ends = iter([*(match.span() for match in _CODE.finditer(text)), (len(text) + 1, len(text) + 1)])
    start, end = next(ends)
    found = []
    for match in _TITLE.finditer(text):
        while end <= match.start():
            start, end = next(ends)
        if match.start() < start:
            found.append(match)
    return found


def _shortened(heading: str) -> str:
    return heading if len(heading) <= _MAX_HEADING else heading[: _MAX_HEADING - 1].rstrip() + "…"
