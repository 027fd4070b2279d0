"""Patterns that look at the first letters of a word find what they would find without."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.care import screening
from chat.care.beginnings import beginnings, whole_words
from chat.care.screening import LANGUAGES, _Phrases, normalize

from .test_screening import crises, everyday


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("kill|die", {"kil", "die"}),
        ("(?:to )?die", {"to ", "die"}),
        ("di", {"di"}),
        ("a?b*c", {"c", "ac", "bc", "abc", "bbc", "abb", "bbb"}),
        ("[sz]o|s[a-z]", {"so", "zo", "s"}),
        (r"(?!not)\w+", {""}),
        (r"i \w+", {"i "}),
        ("(?<!un)able", {"abl"}),
        ("(?:a|bcd)+", {"a", "bcd", "aa", "aaa", "aab", "abc"}),
        ("a{2}", {""}),
    ],
)
def test_beginnings_are_the_first_letters_of_all_matches(pattern, expected):
    assert beginnings(pattern) == expected


def _plain(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b")


@pytest.mark.parametrize("language", LANGUAGES)
def test_look_at_first_letters_changes_no_match_in_any_sentence(language, monkeypatch):
    quick = _Phrases(language)
    monkeypatch.setattr(screening, "whole_words", _plain)
    plain = _Phrases(language)
    texts = [normalize(text) for _, _, text in crises()] + [normalize(text) for _, text in everyday()]
    for name in ("_everyday", "_danger", "_concern"):
        for text in texts:
            found, expected = (getattr(phrases, name).finditer(text) for phrases in (quick, plain))
            assert [match.span() for match in found] == [match.span() for match in expected]


_WORDS = st.sampled_from(["i", "kill", "killed", "my", "self", "die", "not", "so", "a", "ab", "to", "want"])


@given(st.lists(_WORDS, max_size=12).map(" ".join))
def test_look_at_first_letters_changes_no_match_of_any_words(text):
    pattern = r"(?:to )?die|kill(?:ed)? my ?self|(?!so)\w{2} a|(?:i|we)? ?want|ab?|[ks]o?"
    found, expected = whole_words(pattern).finditer(text), _plain(pattern).finditer(text)
    assert [match.span() for match in found] == [match.span() for match in expected]
