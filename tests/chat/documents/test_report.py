"""The report keeps its form, whatever is put into it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from chat.documents import prompts, report
from chat.documents.models import Analysis
from chat.documents.prompts import Digest, Findings, Part
from chat.documents.report import Line, Read
from chat.documents.splitting import Span, sentences
from chat.markdown.render import render

TEXT = "The *mole* was raised.\nIt cost 4,000 [crowns](x).\fNobody knows who pays."
PAGE_2 = TEXT.index("\f") + 1
HEADINGS = ["Summary", "Key points", "Quotes", "Open questions", "What was read"]


def analysis(**more) -> Analysis:
    return Analysis(**{"name": "har_bour*.pdf", "kind": "pdf", "pages": 2, "size": 9, "text": TEXT} | more)


def reads(notes: list[str]) -> list[Read]:
    first = Findings(notes=notes, quotes=[Span(0, 22)], open=["Why?"])
    return [
        Read(span=Span(0, PAGE_2), findings=first),
        Read(span=Span(PAGE_2, len(TEXT)), findings=Findings(skipped="the model declined to read it")),
    ]


def written(notes: list[str], digest: Digest, **more) -> str:
    found = reads(notes)
    return report.written(analysis(**more), found, [line for read in found for line in read.lines], digest)


def test_a_report_says_what_where_and_what_was_not_read():
    text = written(["Higher now"], Digest(summary="All is well.", keep=[0]), skipped=["page 2 (no text)"])
    assert text == (
        "## Summary\n\nAll is well.\n\n"
        "## Key points\n\n- Higher now (page 1)\n\n"
        "## Quotes\n\n> The \\*mole\\* was raised.\n>\n> — page 1\n\n"
        "## Open questions\n\n- Why?\n\n"
        f"## What was read\n\n- **har\\_bour\\*.pdf** (PDF, 2 pages), {len(TEXT)} characters, in 2 parts\n"
        "- Skipped: page 2 (no text)\n"
        "- Skipped: part 2 (page 2): the model declined to read it"
    )


def test_quotes_are_shown_as_they_are_and_nothing_in_them_is_obeyed():
    words = "1. # <b>bold</b> [link](http://x) `code` &amp; _so_"
    assert re.sub("<[^>]*>", "", render(report.literal(words))).strip() == words.replace(
        "&", "&amp;"
    ).replace("<", "&lt;").replace(">", "&gt;")


def test_without_a_summary_or_notes_there_is_still_a_report():
    text = written([], Digest())
    assert "Nothing in this document answers the question." in text
    assert "## Key points" not in text


NASTY = st.lists(
    st.sampled_from(["# x", "```", "> q", "* *", "|-|", "</p>", "](", "\\", "- - -", "a b c", "1)"]),
    max_size=8,
)


@given(NASTY.map(" ".join), NASTY.map("\n".join), st.lists(st.integers(0, 2), max_size=3))
def test_the_headings_are_ours_whatever_the_model_says(note, summary, keep):
    part_notes = prompts.from_part(note, _part()).notes
    lines = len(part_notes)
    digest = Digest(summary=prompts.tidy(summary, 500), keep=[k for k in keep if k < lines])
    html = render(written(part_notes, digest))
    found = re.findall(r"<h(\d)>(.*?)</h", html)
    assert all(level == "2" for level, _ in found)
    assert [words for _, words in found if words in HEADINGS] == [words for _, words in found]
    assert found[-1][1] == "What was read"


def _part() -> Part:
    return Part(text=TEXT, sentences=list(sentences(TEXT, by_line=False)), number=1, of=1, name="x", place="")


def test_many_key_points_and_quotes_are_taken_evenly_from_all_of_the_document():
    found = [
        Read(span=Span(n * 10, n * 10 + 10), findings=Findings(notes=[f"Note {n}"], quotes=[Span(0, 5)]))
        for n in range(40)
    ]
    text = "abcde fgh\n" * 40
    lines = [Line(text=f"Note {n}", span=Span(n * 10, n * 10 + 10)) for n in range(40)]
    said = report.written(analysis(text=text, kind="txt"), found, lines, Digest(summary="So."))
    assert re.findall(r"- Note (\d+) \(line", said) == ["0", "5", "10", "15", "20", "25", "30", "35"]
    assert said.count("\n> — line") == report.QUOTES_IN_ALL
