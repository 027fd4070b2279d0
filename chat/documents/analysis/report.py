"""The report: Markdown assembled here, from the small pieces that the model was asked for.

Its form does not depend on the model: every answer is placed under its heading, on its line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat.documents import texts
from chat.documents.models import Analysis

from .prompts import MAX_KEY_POINTS, MAX_OPEN_TOTAL, QUOTE_LENGTH, Digest, Findings
from .sentence_ranking import evenly_spaced
from .splitting import DocumentLocations, Span

MAX_QUOTES_TOTAL = 6
_SPECIAL = re.compile(r"([\\`*_\[\]<>~$]|&(?=#?\w+;)|^[-+#=:|])")
#: The start of a line that Markdown would read as a block.
_BLOCK = re.compile(r"^(?=[-+#>=|]|\*\s|`{3}|~{3})")
_NUMBERED = re.compile(r"^(\d+)(?=[.)])")


@dataclass(frozen=True, kw_only=True)
class Note:
    """A note, or the summary of several, and the span of the document that it is about."""

    text: str
    span: Span


@dataclass(frozen=True, kw_only=True)
class PartResult:
    """The findings in one part of the document."""

    span: Span
    findings: Findings

    @property
    def notes(self) -> list[Note]:
        return [Note(text=note, span=self.span) for note in self.findings.notes]


def describe(analysis: Analysis) -> str:
    """Return the document's name, kind and size: `**notes.pdf** (PDF, 12 pages)`."""
    pages = f", {texts.plural(analysis.pages, 'page')}" if analysis.pages else ""
    kind = texts.KIND_NAMES.get(analysis.kind, analysis.kind)
    return f"**{escape_markdown(analysis.name)}** ({kind}{pages})"


def part_notes(result: PartResult, number: int, total: int, location: str) -> str:
    """Return the text that clients see about one part while the others are being read."""
    heading = texts.part_heading(number, total, location)
    if reason := result.findings.skipped:
        return f"{heading}\n- {texts.skipped(reason)}.\n\n"
    notes = "\n".join(f"- {note}" for note in result.findings.notes or [texts.NO_NOTES])
    return f"{heading}\n{notes}\n\n"


def build_report(
    analysis: Analysis,
    results: Sequence[PartResult],
    notes: Sequence[Note],
    digest: Digest,
    locations: DocumentLocations,
    remark: str = "",
) -> str:
    """Return the report. `digest` is about `notes`; `remark` is a further line under "What was read"."""
    key = [notes[n] for n in digest.keep[:MAX_KEY_POINTS] or evenly_spaced(len(notes), MAX_KEY_POINTS)]
    sections = {
        texts.SUMMARY: "\n\n".join(map(_escape_block, digest.summary.split("\n\n"))) or texts.NO_ANSWER,
        texts.KEY_POINTS: _list([note.text + _location(locations, note.span) for note in key]),
        texts.QUOTES: _quotes(analysis, results, key, locations),
        texts.OPEN_QUESTIONS: _list(_open_questions(results, digest)),
        texts.COVERAGE: _list([*_coverage(analysis, results, locations), *filter(None, [remark])]),
    }
    return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in sections.items() if text)


def _location(locations: DocumentLocations, span: Span) -> str:
    location = locations.describe(span)
    return f" ({escape_markdown(location)})" if location else ""


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {_escape_block(item)}" for item in items)


def _escape_block(line: str) -> str:
    """Return a line of the model that keeps its italics and the like, but cannot begin a block."""
    return _NUMBERED.sub(r"\1\\", _BLOCK.sub(r"\\", line))


def _quotes(
    analysis: Analysis, results: Sequence[PartResult], key: Sequence[Note], locations: DocumentLocations
) -> str:
    """Return quotes from the parts of the key points, then from other parts, in the document's order."""
    of_key = [result for result in results if any(_overlap(result.span, note.span) for note in key)]
    spans = dict.fromkeys(_first_quotes(of_key) + _first_quotes(results))
    quotes = []
    for span in sorted(list(spans)[:MAX_QUOTES_TOTAL]):
        location = locations.describe(span)
        source = f"\n>\n> — {escape_markdown(location)}" if location else ""
        quotes.append(_verbatim(analysis.text[slice(*span)]) + source)
    return "\n\n".join(quotes)


def _verbatim(text: str) -> str:
    """Return `text` as a block quote, with its own lines. A long one ends after a word, with a mark."""
    shown = text if len(text) <= QUOTE_LENGTH else text[:QUOTE_LENGTH].rsplit(maxsplit=1)[0]
    quote = "\n".join(f"> {_escape_line(line)}" for line in shown.split("\n"))
    return quote + texts.OMITTED if len(shown) < len(text) else quote


def _escape_line(line: str) -> str:
    """Return a line of a quote so that Markdown shows it unchanged, also after an indent."""
    unindented = line.lstrip()
    return line[: len(line) - len(unindented)] + escape_markdown(unindented)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _first_quotes(results: Sequence[PartResult]) -> list[Span]:
    """Return the first quote of each part, evenly spaced over all parts."""
    firsts = [
        Span(*(result.span.start + offset for offset in result.findings.quotes[0]))
        for result in results
        if result.findings.quotes
    ]
    return [firsts[n] for n in evenly_spaced(len(firsts), MAX_QUOTES_TOTAL)]


def _open_questions(results: Sequence[PartResult], digest: Digest) -> list[str]:
    of_parts = dict.fromkeys(question for result in results for question in result.findings.open)
    questions = digest.open or list(of_parts)
    return [questions[n] for n in evenly_spaced(len(questions), MAX_OPEN_TOTAL)]


def _coverage(analysis: Analysis, results: Sequence[PartResult], locations: DocumentLocations) -> list[str]:
    """Return the lines that say what was read and what was skipped."""
    skipped = [escape_markdown(what) for what in analysis.skipped]
    for number, result in enumerate(results, 1):
        if reason := result.findings.skipped:
            skipped.append(f"{texts.part_name(number)}{_location(locations, result.span)}: {reason}")
    return [
        texts.coverage(describe(analysis), len(analysis.text), len(results)),
        *map(texts.skipped, skipped),
    ]


def escape_markdown(text: str) -> str:
    """Return `text` so that Markdown shows it unchanged."""
    # `\[` would begin mathematics.
    return _NUMBERED.sub(r"\1\\", _SPECIAL.sub(r"\\\1", text).replace("\\[", "&#91;"))
