"""Patterns of hundreds of phrases that look at the first letters of a word before they try any phrase.

Most words begin no phrase of any language. Without the look, Python tries all phrases at each word.
"""

import re
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined]  # no public module reads patterns
from re import _parser  # type: ignore[attr-defined]
from typing import Any

#: First letters that are looked at.
_LENGTH = 3
#: At the end of a beginning: any text can follow.
_ANY = "\0"


def whole_words(pattern: str) -> re.Pattern[str]:
    """Return a pattern that matches what `pattern` matches, from the beginning to the end of words."""
    return re.compile(rf"\b{_look(beginnings(pattern))}(?:{pattern})\b")


def beginnings(pattern: str) -> set[str]:
    """Return the first letters of all that `pattern` can match; an empty text is a match that can be any."""
    return {found.removesuffix(_ANY) for found in _of_sequence(_parser.parse(f"(?:{pattern})"))}


def _look(starts: set[str]) -> str:
    """Return a condition that one of the texts follows; empty if one of them is."""
    return "" if "" in starts else f"(?={_one_of(starts)})"


def _one_of(starts: set[str]) -> str:
    if "" in starts:
        return ""
    rests: dict[str, set[str]] = {}
    for start in starts:
        rests.setdefault(start[0], set()).add(start[1:])
    letters: dict[str, str] = {}
    for letter, rest in sorted(rests.items()):
        after = _one_of(rest)
        letters[after] = letters.get(after, "") + re.escape(letter)
    return "(?:" + "|".join(f"[{before}]{after}" for after, before in letters.items()) + ")"


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> set[str]:
    found, ended = {""}, set[str]()
    for code, argument in items:
        found = _joined(found, _of_item(code, argument))
        ended |= {text for text in found if text.endswith(_ANY)}
        found -= ended
    return found | ended


def _joined(firsts: set[str], seconds: set[str]) -> set[str]:
    joined = {first + second for first in firsts for second in seconds}
    return {text[:_LENGTH] + _ANY if len(text.removesuffix(_ANY)) >= _LENGTH else text for text in joined}


def _of_item(code: Any, argument: Any) -> set[str]:
    if code is codes.LITERAL:
        return {chr(argument)}
    if code is codes.IN and all(kind is codes.LITERAL for kind, _ in argument):
        return {chr(letter) for _, letter in argument}
    if code is codes.BRANCH:
        return set().union(*map(_of_sequence, argument[1]))
    if code is codes.SUBPATTERN:
        return _of_sequence(argument[-1])
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT) and argument[0] <= 1:
        return _of_repeat(*argument)
    return {""} if code in (codes.ASSERT, codes.ASSERT_NOT, codes.AT) else {_ANY}


def _of_repeat(least: int, most: int, items: Iterable[tuple[Any, Any]]) -> set[str]:
    once = _of_sequence(items)
    found = set() if least else {""}
    times = {""}
    for _ in range(min(most, _LENGTH)):
        ended = {text for text in times if text.endswith(_ANY)}
        times = ended | _joined(times - ended, once)
        found |= times
    return found
