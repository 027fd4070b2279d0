"""The report: Markdown put together here, from the small things that the model was asked for.

Its form does not depend on the model: whatever was said stands under its heading, on its line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .models import Analysis
from .prompts import KEY_POINTS, OPEN_IN_ALL, QUOTE, Digest, Findings, on_one_line, shortened
from .sentence_ranking import spread
from .splitting import Places, Span

QUOTES_IN_ALL = 6
_KINDS = {"pdf": "PDF", "docx": "Word", "csv": "table (CSV)", "md": "Markdown", "txt": "text"}
_SPECIAL = re.compile(r"([\\`*_\[\]<>~]|&(?=#?\w+;)|^[-+#=])")
#: What a line may begin with that makes it more than a line.
_BLOCK = re.compile(r"^(?=[-+#>=|]|\*\s|`{3}|~{3})")
_NUMBERED = re.compile(r"^(\d+)(?=[.)])")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A note, or what several come to, and the part of the document that it is about."""

    text: str
    span: Span


@dataclass(frozen=True, kw_only=True)
class Read:
    """A part that was read."""

    span: Span
    findings: Findings

    @property
    def lines(self) -> list[Line]:
        return [Line(text=note, span=self.span) for note in self.findings.notes]


def about(analysis: Analysis) -> str:
    """`notes.pdf (PDF, 12 pages)`."""
    pages = f", {counted(analysis.pages, 'page')}" if analysis.pages else ""
    return f"**{literal(analysis.name)}** ({_KINDS.get(analysis.kind, analysis.kind)}{pages})"


def part(read: Read, number: int, of: int, place: str) -> str:
    """What is shown of one part while the others are being read."""
    head = f"Part {number} of {of}" + (f", {place}" if place else "")
    if read.findings.skipped:
        return f"{head}\n- Skipped: {read.findings.skipped}.\n\n"
    notes = "\n".join(f"- {note}" for note in read.findings.notes) or "- Nothing here about the question."
    return f"{head}\n{notes}\n\n"


def written(
    analysis: Analysis, reads: Sequence[Read], lines: Sequence[Line], digest: Digest, remark: str = ""
) -> str:
    """The report. `digest` is about `lines`; `remark` is what else there is to say of the reading."""
    places = Places(analysis.text, analysis.kind)
    key = [lines[n] for n in digest.keep[:KEY_POINTS] or spread(len(lines), KEY_POINTS)]
    sections = {
        "Summary": "\n\n".join(map(_plain, digest.summary.split("\n\n")))
        or "Nothing in this document answers the question.",
        "Key points": _list([line.text + _at(places, line.span) for line in key]),
        "Quotes": _quotes(analysis, reads, key, places),
        "Open questions": _list(_open(reads, digest)),
        "What was read": _list([*_account(analysis, reads, places), *filter(None, [remark])]),
    }
    return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in sections.items() if text)


def _at(places: Places, span: Span) -> str:
    where = places.of(span)
    return f" ({literal(where)})" if where else ""


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {_plain(item)}" for item in items)


def _plain(line: str) -> str:
    """A line of the model's, which may have words in italics and the like, but is only a line."""
    return _NUMBERED.sub(r"\1\\", _BLOCK.sub(r"\\", line))


def _quotes(analysis: Analysis, reads: Sequence[Read], key: Sequence[Line], places: Places) -> str:
    """Quotes from the parts that the key points are from, then from others; in the document's order."""
    from_key = [read for read in reads if any(_within(read.span, line.span) for line in key)]
    found = dict.fromkeys(_first_quotes(from_key) + _first_quotes(reads))
    quotes = []
    for span in sorted(list(found)[:QUOTES_IN_ALL]):
        words = shortened(on_one_line(analysis.text[slice(*span)]), QUOTE)
        quotes.append(
            f"> {literal(words)}" + (f"\n>\n> — {literal(where)}" if (where := places.of(span)) else "")
        )
    return "\n\n".join(quotes)


def _within(part: Span, span: Span) -> bool:
    return part.start < span.end and span.start < part.end


def _first_quotes(reads: Sequence[Read]) -> list[Span]:
    """The first quote of each part, evenly from all of them."""
    firsts = [
        Span(*(read.span.start + offset for offset in read.findings.quotes[0]))
        for read in reads
        if read.findings.quotes
    ]
    return [firsts[n] for n in spread(len(firsts), QUOTES_IN_ALL)]


def _open(reads: Sequence[Read], digest: Digest) -> list[str]:
    found = digest.open or list(dict.fromkeys(question for read in reads for question in read.findings.open))
    return [found[n] for n in spread(len(found), OPEN_IN_ALL)]


def _account(analysis: Analysis, reads: Sequence[Read], places: Places) -> list[str]:
    """What was read, and what was not."""
    skipped = [literal(what) for what in analysis.skipped]
    for number, read in enumerate(reads, 1):
        if read.findings.skipped:
            skipped.append(f"part {number}{_at(places, read.span)}: {read.findings.skipped}")
    return [
        f"{about(analysis)}, {len(analysis.text):,} characters, in {counted(len(reads), 'part')}",
        *(f"Skipped: {what}" for what in skipped),
    ]


def counted(number: int, what: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _NUMBERED.sub(r"\1\\", _SPECIAL.sub(r"\\\1", text))
