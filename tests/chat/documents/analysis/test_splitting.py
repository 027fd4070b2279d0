"""Splitting of texts, and descriptions of locations in them."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.documents.analysis.splitting import DocumentLocations, Span, sentences, split

WORDS = st.sampled_from(["harbour", "a", "Ship.", "# Heading", "字字字。", "...", "1924", "x" * 30, "“So?”"])
SPACES = st.sampled_from([" ", "  ", "\n", "\n\n", "\f", "\n \n", "\t", ""])
TEXTS = st.lists(st.tuples(WORDS, SPACES), max_size=80).map(lambda pairs: "".join(map("".join, pairs)))


def parts_of(text: str, limit: int, **more: bool) -> list[str]:
    return [
        text[slice(*span)] for span in split(text, lambda part: len(part) <= limit, max_tokens=limit, **more)
    ]


@given(TEXTS | st.text(max_size=300), st.integers(1, 60), st.booleans())
def test_parts_joined_equal_the_text_and_fit(text, limit, headings):
    parts = parts_of(text, limit, headings=headings)
    assert "".join(parts) == text
    assert all(0 < len(part) <= limit for part in parts)


@given(TEXTS, st.integers(1, 60))
def test_word_that_fits_is_not_cut(text, limit):
    parts = parts_of(text, limit)
    for before, after in itertools.pairwise(parts):
        if not (before[-1].isspace() or after[0].isspace()):
            ends_a_sentence = re.search(r"[.!?…。！？][\"'”’»)\]]*\Z", before)
            assert ends_a_sentence or not re.search(r"\s", before)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("aaa bbb\n# Head\nccc ddd eee", ["aaa bbb\n", "# Head\n", "ccc ddd eee"]),
        ("page one\fpage two\fpage 3", ["page one\f", "page two\f", "page 3"]),
        ("one two\n\nthree four five", ["one two\n\n", "three four ", "five"]),
        ("One two. Three. Four five six", ["One two. ", "Three. ", "Four five ", "six"]),
        ("船は朝に着いた。港には誰もいなかった。", ["船は朝に着いた。", "港には誰もいなかった。"]),
        ("a" * 25, ["a" * 11, "a" * 11, "aaa"]),
    ],
)
def test_cut_is_at_strongest_boundary_in_reach(text, parts):
    assert parts_of(text, 11) == parts


def test_hash_without_headings_is_no_boundary():
    text = "aaaa bbbb\n# c\n\nd eeeeeee"
    assert parts_of(text, 18, headings=True)[0] == "aaaa bbbb\n"
    assert parts_of(text, 18, headings=False)[0] == "aaaa bbbb\n# c\n\n"


@given(TEXTS, st.booleans())
def test_sentences_lose_only_space(text, by_line):
    found = list(sentences(text, by_line=by_line))
    assert all(text[slice(*span)].strip() == text[slice(*span)] != "" for span in found)
    assert "".join("".join(text[slice(*span)].split()) for span in found) == "".join(text.split())
    assert found == sorted(found)


def test_sentence_ends_are_detected():
    text = "Dr. no. 5 came at 3.30 p.m. and left.\n“Why?” he asked. Nobody knew! "
    text += "船は着いた。港だ。\n\nA heading\n\nEnd"
    assert [text[slice(*span)] for span in sentences(text, by_line=False)] == [
        "Dr. no. 5 came at 3.30 p.m. and left.",
        "“Why?” he asked.",
        "Nobody knew!",
        "船は着いた。",
        "港だ。",
        "A heading",
        "End",
    ]


def test_sentences_by_line_are_rows():
    text = "name | note\nAda | First. Second.\n\nBob | x"
    assert [text[slice(*span)] for span in sentences(text, by_line=True)] == [
        "name | note",
        "Ada | First. Second.",
        "Bob | x",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "words", "location"),
    [
        ("pdf", "one\ftwo\fthree", "two", "page 2"),
        ("pdf", "one\ftwo\fthree", "one\ftwo\fthr", "pages 1–3"),
        ("pdf", "one\ftwo\fthree", "two\f", "page 2"),
        ("csv", "a | b\n1 | 2\n3 | 4", "3 | 4", "row 3"),
        ("txt", "one\ntwo\nthree\n", "two\nthree\n", "lines 2–3"),
        ("docx", "# Costs\n\nStone\n\n# Who\n\nNobody", "Stone", "“Costs”"),
        ("docx", "# Costs\n\nStone\n\n# Who\n\nNobody", "Stone\n\n# Who", "“Costs” to “Who”"),
        ("docx", "Before\n\n# Costs\n\nStone", "Before", ""),
        ("docx", "one\n\ntwo\n\nthree", "two\n\nthree", "paragraphs 2–3"),
        ("md", "no heading\nat all", "at all", "line 2"),
    ],
)
def test_location_is_described_in_the_units_of_the_kind(kind, text, words, location):
    start = text.index(words)
    assert DocumentLocations(text, kind).describe(Span(start, start + len(words))) == location


def test_headings_in_blocks_of_code_are_no_locations():
    text = "# A\n```\n# not\n```\n# B\nb\n```\n# open"
    found = DocumentLocations(text, "md")
    assert [found.describe(Span(at, at + 1)) for at in (4, 8, text.index("b\n"), len(text) - 1)] == [
        "“A”",
        "“A”",
        "“B”",
        "“B”",
    ]


@given(st.integers(1, 5_000), st.integers(1, 3_000))
def test_part_is_as_long_as_fits(length, limit):
    parts = parts_of("a" * length, limit)
    assert [len(part) for part in parts[:-1]] == [limit] * (len(parts) - 1)
