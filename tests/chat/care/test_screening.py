"""Screening of sample sentences: crises found and false alarms; `-s` prints the figures."""

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.care import screen, screening
from chat.care.model_guidance import guidance

_TABLES = Path(__file__).parent / "sentences"


def crises(table: str = "") -> list[tuple[str, str, str]]:
    """Return (language, level, sentence) of each line of a table."""
    return [tuple(line.split(" ", 2)) for line in _lines(f"crisis{table}.txt")]  # type: ignore[misc]


def everyday(table: str = "") -> list[tuple[str, str]]:
    """Return (language, sentence) of each line of a table."""
    return [tuple(line.split(" ", 1)) for line in _lines(f"everyday{table}.txt")]  # type: ignore[misc]


def _lines(name: str) -> list[str]:
    return [line for line in (_TABLES / name).read_text().splitlines() if line and not line.startswith("#")]


def missed(table: str) -> list[str]:
    return [text for _, _, text in crises(table) if not screen(text)]


def false_alarms(table: str) -> list[str]:
    return [text for _, text in everyday(table) if screen(text)]


@pytest.mark.parametrize(
    ("table", "recall", "alarms"),
    [
        ("", 0.98, 0.01),
        ("-fresh", 0.95, 0.01),
        ("-unseen", 0.70, 0.05),  # sentences that the phrases were not written for
    ],
)
def test_screening_finds_crises_and_few_false_alarms(table, recall, alarms):
    misses, false = missed(table), false_alarms(table)
    found, quiet = len(crises(table)), len(everyday(table))
    print(f"{table or 'known'}: {found - len(misses)} of {found} found, {len(false)} of {quiet} false alarms")
    assert 1 - len(misses) / found >= recall, misses
    assert len(false) / quiet <= alarms, false


def test_tables_have_enough_sentences():
    assert len(crises()) >= 150
    assert len(everyday()) >= 200
    assert {language for language, *_ in crises()} == {"en", "de", "es", "fr", "pt", "it", "nl"}


def test_sentences_of_danger_get_that_level():
    grave = [text for _, level, text in crises() if level == "danger"]
    assert sum(getattr(screen(text), "level", "") == "danger" for text in grave) / len(grave) >= 0.95


def test_negated_danger_is_a_concern():
    for text in (
        "I don't want to kill myself.",
        "I would never kill myself",
        "Ich will mich nicht umbringen",
    ):
        assert screen(text), text
    assert screen("I don't want to kill myself.").level == "concern"  # type: ignore[union-attr]


@st.composite
def typed_variants(draw: st.DrawFn, sentences: list[str]) -> tuple[str, str]:
    """Draw a sentence, and the same sentence typed in another way."""
    text = draw(st.sampled_from(sentences))
    typed = text
    if draw(st.booleans()):
        typed = draw(st.sampled_from([str.upper, str.lower, str.title]))(typed)
    if draw(st.booleans()):
        typed = typed.replace("'", draw(st.sampled_from(["’", "‘", "`", ""])))
    if draw(st.booleans()):
        gap = draw(st.sampled_from(["  ", "\t", "\u00a0", " \u200b", "\u2003"]))
        typed = typed.replace(" ", gap)
    if draw(st.booleans()):
        before = draw(st.sampled_from(["", "... ", "😞 ", "- "]))
        typed = before + typed + draw(st.sampled_from(["!!!", " 💔", " …", ""]))
    return text, typed


@given(typed_variants([text for _, _, text in crises() if "ß" not in text]))
def test_crisis_typed_in_any_way_is_found(pair):
    text, typed = pair
    assert screen(typed) == screen(text), typed


@given(typed_variants([text for _, text in everyday() if "ß" not in text]))
def test_everyday_sentence_typed_in_any_way_stays_everyday(pair):
    text, typed = pair
    assert screen(typed) == screen(text), typed


@pytest.mark.parametrize(
    "text",
    [
        "I want to k1ll mys3lf",
        "i want to k!ll myself",
        "I want to k*ll myself",
        "thinking about su1cide",
        "su*cide is the only way, i want to commit su*cide",
        "i want to dieeee",
        "I want\n to\n die",
        "je n'en peux plus".replace("'", " "),
        "no  puedo   más",
    ],
)
def test_disguised_words_are_found(text):
    assert screen(text), text


def test_numbers_and_names_are_not_disguised_words():
    assert screen("B2B, MP3 and 4K: which of the 3 do I need for 116 people?") is None


def test_end_of_a_long_text_is_screened():
    assert screen("All is well. " * 2000 + "I want to die.") is not None


def test_hostile_long_text_is_screened_quickly():
    """A pattern with unlimited backtracking would need minutes here."""
    for word in ("i ", "i want to ", "my character ", "he then hits then ", "ich will ", "quiero ", "a"):
        assert screen((word * 20_000)[:20_000]) is None


def test_text_is_screened_once_in_a_process(monkeypatch):
    """S12: a conversation is not screened again each time it is read."""
    screened = []
    normalize = screening.normalize
    monkeypatch.setattr(screening, "normalize", lambda text: screened.append(text) or normalize(text))
    text = f"I want to die. {uuid4()}"
    assert {screen(text) for _ in range(5)} == {screening.Concern("danger", "en")}
    assert len(screened) == 1


def test_remembered_texts_are_limited(monkeypatch):
    monkeypatch.setattr(screening, "REMEMBERED", 3)
    memory = screening._Memory()
    for number in range(5):
        memory.concern_of(f"I want to die {number}")
    assert len(memory._found) == 3


def test_letter_with_many_marks_is_found_under_them():
    assert screen("I want to k" + "\u0315\u0300" * 20 + "ill myself") is not None


def test_negation_far_before_a_phrase_does_not_count():
    assert screen("not " + "ab" * 100 + " kill myself") == screening.Concern("danger", "en")


@given(st.text())
def test_any_text_can_be_screened(text):
    screen(text)


def test_guidance_lasts_five_messages():
    assert "safe right now" in guidance(["I want to die", *["Thank you"] * 4])
    assert guidance(["I want to die", *["Thank you"] * 5]) == ""
    assert "in distress" in guidance(["I can't go on like this"])
