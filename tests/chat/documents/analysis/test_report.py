"""The form of the report, with any input."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.documents import texts
from chat.documents.analysis import prompts, prompts_small_model, report
from chat.documents.analysis.prompts import Digest, Findings, Part
from chat.documents.analysis.report import Note, PartResult
from chat.documents.analysis.splitting import DocumentLocations, Span, sentences
from chat.documents.models import Analysis
from chat.markdown.render import render

TEXT = "The *mole* was raised.\nIt cost 4,000 [crowns](x).\fNobody knows who pays."
PAGE_2 = TEXT.index("\f") + 1
HEADINGS = ["Summary", "Key points", "Quotes", "Open questions", "What was read"]


def analysis(**more) -> Analysis:
    return Analysis(**{"name": "har_bour*.pdf", "kind": "pdf", "pages": 2, "size": 9, "text": TEXT} | more)


def results(notes: list[str]) -> list[PartResult]:
    first = Findings(notes=notes, quotes=[Span(0, 22)], open=["Why?"])
    return [
        PartResult(span=Span(0, PAGE_2), findings=first),
        PartResult(span=Span(PAGE_2, len(TEXT)), findings=Findings(skipped="the model declined to read it")),
    ]


def report_of(document: Analysis, *more) -> str:
    return report.build_report(document, *more, DocumentLocations(document.text, document.kind))


def built(notes: list[str], digest: Digest, **more) -> str:
    parts = results(notes)
    return report_of(analysis(**more), parts, [note for part in parts for note in part.notes], digest)


def test_report_has_locations_and_skipped_parts():
    text = built(["Higher now"], Digest(summary="All is well.", keep=[0]), skipped=["page 2 (no text)"])
    assert text == (
        "## Summary\n\nAll is well.\n\n"
        "## Key points\n\n- Higher now (page 1)\n\n"
        "## Quotes\n\n> The \\*mole\\* was raised.\n>\n> — page 1\n\n"
        "## Open questions\n\n- Why?\n\n"
        f"## What was read\n\n- **har\\_bour\\*.pdf** (PDF, 2 pages), {len(TEXT)} characters, in 2 parts\n"
        "- Skipped: page 2 (no text)\n"
        "- Skipped: part 2 (page 2): the model declined to read it"
    )


def test_escaped_quote_renders_unchanged():
    words = "1. # <b>bold</b> [link](http://x) `code` &amp; _so_"
    assert re.sub("<[^>]*>", "", render(report.escape_markdown(words))).strip() == words.replace(
        "&", "&amp;"
    ).replace("<", "&lt;").replace(">", "&gt;")


def test_report_without_summary_and_notes_is_complete():
    text = built([], Digest())
    assert "Nothing in this document answers the question." in text
    assert "## Key points" not in text


NASTY = st.lists(
    st.sampled_from(["# x", "```", "> q", "* *", "|-|", "</p>", "](", "\\", "- - -", "a b c", "1)"]),
    max_size=8,
)


@given(NASTY.map(" ".join), NASTY.map("\n".join), st.lists(st.integers(0, 2), max_size=3))
def test_report_headings_never_come_from_the_model(note, summary, keep):
    part_notes = prompts.parse_part(note, _part()).notes
    lines = len(part_notes)
    digest = Digest(summary=prompts.clean_paragraphs(summary, 500), keep=[k for k in keep if k < lines])
    html = render(built(part_notes, digest))
    found = re.findall(r"<h(\d)>(.*?)</h", html)
    assert all(level == "2" for level, _ in found)
    assert [words for _, words in found if words in HEADINGS] == [words for _, words in found]
    assert found[-1][1] == "What was read"


def _part() -> Part:
    return Part(
        text=TEXT, sentences=list(sentences(TEXT, by_line=False)), number=1, total=1, name="x", location=""
    )


def test_key_points_and_quotes_are_evenly_spaced():
    parts = [
        PartResult(
            span=Span(n * 10, n * 10 + 10), findings=Findings(notes=[f"Note {n}"], quotes=[Span(0, 5)])
        )
        for n in range(40)
    ]
    text = "abcde fgh\n" * 40
    notes = [Note(text=f"Note {n}", span=Span(n * 10, n * 10 + 10)) for n in range(40)]
    markdown = report_of(analysis(text=text, kind="txt"), parts, notes, Digest(summary="So."))
    assert re.findall(r"- Note (\d+) \(line", markdown) == ["0", "5", "10", "15", "20", "25", "30", "35"]
    assert markdown.count("\n> — line") == report.MAX_QUOTES_TOTAL


WORDS = st.sampled_from(
    ["harbour", "3.", "24.", "1)", "-", "#", ">", "a.", "&lt;", "[x]", "===", ":-", "|", "“So?”"]
)
SPACES = st.sampled_from([" ", "  ", "\n", "\n\n", "\f", "\t", "\n   ", "."])
DOCUMENTS = st.lists(st.tuples(WORDS, SPACES), min_size=1, max_size=60).map(
    lambda pairs: "".join(map("".join, pairs))
)


def shown_quotes(markdown: str) -> list[str]:
    """Return the quotes of a report as readers get them, without the line that names their location."""
    section = markdown.partition("## Quotes\n\n")[2].partition("\n\n## ")[0]
    quotes = [quote.partition("\n>\n> — ")[0] for quote in section.split("\n\n") if quote]
    unescaped = [
        re.sub(
            r"&#91;|\\([\W_])", lambda found: found[1] or "[", quote.removeprefix("> ").replace("\n> ", "\n")
        )
        for quote in quotes
    ]
    return [quote.removesuffix(texts.OMITTED) for quote in unescaped]


@given(DOCUMENTS | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), st.data())
def test_quote_shown_is_verbatim_text_of_the_document(text, data):
    """S14: however the model chooses the quotes, each one that is shown is a substring of the document."""
    part = Part(
        text=text, sentences=list(sentences(text, by_line=False)), number=1, total=1, name="x", location=""
    )
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    listed = data.draw(st.lists(st.integers(0, len(part.sentences) + 1), max_size=3))
    answer = f'NOTES:\n- More ships\nQUOTES: {listed}\n"{" ".join(text[start:end].split())}"'
    findings = prompts.parse_part(answer, part)
    results = [PartResult(span=Span(0, len(text)), findings=findings)]
    markdown = report_of(analysis(text=text, kind="txt"), results, results[0].notes, Digest())
    assert all(quote in text for quote in shown_quotes(markdown))
    assert bool(shown_quotes(markdown)) == bool(findings.quotes)


@pytest.mark.parametrize(
    "text", ["3. May 2026 is the date.", "24. Dezember ist Weihnachten.", "1) Pay.", "- Row it."]
)
@pytest.mark.parametrize("module", [prompts, prompts_small_model], ids=["prompts", "small"])
def test_quote_that_begins_like_a_list_keeps_its_beginning(text, module):
    """S14: `3. May 2026 is the date.` was quoted without its number."""
    part = Part(
        text=text, sentences=list(sentences(text, by_line=False)), number=1, total=1, name="x", location=""
    )
    findings = module.parse_part("NOTES:\n- A date is given here\nQUOTES: 1", part)
    results = [PartResult(span=Span(0, len(text)), findings=findings)]
    markdown = report_of(analysis(text=text, kind="txt"), results, [], Digest())
    assert shown_quotes(markdown) == [text]
    assert text in re.sub("<[^>]*>", "", render(markdown))


def test_long_quote_ends_after_a_word_with_a_mark():
    text = "harbour " * 50
    results = [PartResult(span=Span(0, 400), findings=Findings(quotes=[Span(0, 399)]))]
    markdown = report_of(analysis(text=text, kind="txt"), results, [], Digest())
    assert shown_quotes(markdown) == [("harbour " * 37).rstrip()]
    assert f"harbour{texts.OMITTED}\n>\n> — line 1" in markdown
