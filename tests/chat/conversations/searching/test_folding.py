"""What a search ignores, and what it does not (P7)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations.searching.folding import find, fold
from chat.conversations.searching.search_terms import MAX_TERMS, terms_of

SAME = [
    ("Über", "uber"),
    ("ПРИВЕТ", "привет"),
    ("Ёлка", "елка"),
    ("café", "cafe\u0301"),
    ("STRASSE", "straße"),
    ("STRAẞE", "strasse"),
    ("İSTANBUL", "istanbul"),
    ("ISPARTA", "ısparta"),
    ("ΟΔΟΣ", "οδός"),
    ("ὁδὸς", "οδοσ"),
    ("Łódź", "lodz"),
    ("Smørrebrød", "SMORREBROD"),
    ("Đường", "duong"),
    ("Œuvre", "oeuvre"),
    ("שָׁלוֹם", "שלום"),
    ("مُحَمَّد", "محمد"),
    ("أحمد", "احمد"),
    ("مدرسة", "مدرسه"),
    ("کتاب", "كتاب"),
    ("می\u200cخواهم", "میخواهم"),
    ("١٢٣ ۴ ५", "123 4 5"),
    ("ｶﾞｷﾞ ＡＢＣ１", "ガギ abc1"),
    ("한글", unicodedata.normalize("NFD", "한글")),
    ("क़लम", "कलम"),
    ("ﬁnd", "find"),
    ("don’t “go”", 'don\'t "go"'),
    ("soft\u00adhyphen", "softhyphen"),
    ("a \n\t b\u00a0c\u3000d", "a b c d"),
    ("❤️", "❤"),
    ("**Fett** und `so`", "fett und so"),
    ("NUL\x00", "nul"),
]
OTHER = [("かき", "かぎ"), ("कि", "कु"), ("ไม่", "ไม"), ("東京", "京都"), ("a", "b"), ("мир", "мор")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_texts_that_people_take_for_the_same_fold_to_the_same(one: str, other: str):
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_other_words_stay_other_words(one: str, other: str):
    assert fold(one) != fold(other)


@given(st.text())
def test_fold_is_the_same_for_each_form_of_a_text_and_for_its_own_result(text: str):
    folded = fold(text)
    assert "\x00" not in folded
    folded.encode()
    assert fold(folded) == " ".join(folded.split())


@given(st.text(max_size=60).map(lambda text: " ".join(text.split())), st.data())
def test_part_of_a_text_is_found_at_its_place(text: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    folded = fold(text[start:end]).strip()  # a term has no spaces around it
    if folded:
        found = find(text, folded)
        assert found is not None
        assert found[0] <= end
        assert folded in fold(text[slice(*found)])


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("Porto Lisbon porto", ["porto", "lisbon"]),
        ('say "Hello  World" now', ["say", "hello world", "now"]),
        ("„guten Tag“ «au revoir»", ["guten tag", "au revoir"]),
        ('an inch is 1"', ["an", "inch", "is", '1"']),
        ('"', ['"']),
        ('""', ['""']),
        ("\u0301 \u200d \x00", []),
        ("東京　大阪", ["東京", "大阪"]),
        ("1 2 3 4 5 6 7 8 9", [*"12345678"]),
    ],
)
def test_terms_are_the_words_and_the_quoted_phrases(query: str, terms: list[str]):
    assert terms_of(query) == terms
    assert len(terms) <= MAX_TERMS
