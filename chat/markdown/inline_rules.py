"""Inline markup beyond CommonMark: mathematics, a few elements of HTML, emphasis in Chinese and Japanese.

Each rule takes linear time: it either consumes what it has looked at, or notes that there is no end to find.
"""

import re
import unicodedata
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from .mathematics import MAX_LENGTH, as_mathml

#: Elements that models write because Markdown has no markup for them.
_ELEMENT = re.compile(r"<(/?)(sub|sup|kbd|mark)>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
#: The begin of mathematics -> its end, and whether it stands on a line of its own.
BRACKETS = {"\\(": ("\\)", False), "\\[": ("\\]", True), "$$": ("$$", True)}
_LINE_START, _LINE_END = re.compile(r"(?:\A|\n)[ \t>]*\Z"), re.compile(r"[ \t.,;]*(?:\n|\Z)")
#: `$5 and $6` are prices: the end is not before a digit, and neither sign has a space inside.
_DOLLARS = re.compile(r"\$(?![\s$])([^$`\\]|\\.)+?(?<!\s)\$(?!\d)", re.DOTALL)


def add_inline_rules(markdown: MarkdownIt) -> None:
    """Add the rules to a parser."""
    markdown.inline.ruler.before("escape", "mathematics", _mathematics)
    markdown.add_render_rule("mathematics", _formula)
    markdown.inline.ruler.before("html_inline", "element", _element)
    markdown.inline.ruler.at("emphasis", _emphasis)


def _mathematics(state: StateInline, silent: bool) -> bool:
    found = _bracketed(state) or _in_dollars(state)
    if found is None:
        return False
    source, length, on_own_line = found
    if not silent:
        token = state.push("mathematics", "math", 0)
        token.content, token.block = source, on_own_line
    state.pos += length
    return True


def _bracketed(state: StateInline) -> tuple[str, int, bool] | None:
    begin = state.src[state.pos : state.pos + 2]
    if begin not in BRACKETS:
        return None
    end, on_own_line = BRACKETS[begin]
    at = _find(state, end, state.pos + 2)
    source = state.src[state.pos + 2 : at].strip() if at >= 0 else ""
    if begin == "\\[" and not (
        _LINE_START.search(state.src[max(0, state.pos - 9) : state.pos])
        and _LINE_END.match(state.src, at + 2)
    ):
        return None  # brackets that are no markup, in the middle of a sentence
    return (source, at + 2 - state.pos, on_own_line) if _is_mathematics(source) else None


def _in_dollars(state: StateInline) -> tuple[str, int, bool] | None:
    """Return what is between two `$`, with the length of all. The next `$` is the end, or there is none."""
    if state.src[state.pos] != "$" or state.src[state.pos - 1 : state.pos].isalnum():
        return None
    found = _DOLLARS.match(state.src, state.pos, min(state.posMax, state.pos + MAX_LENGTH))
    source = found[0][1:-1] if found else ""
    return (source, len(source) + 2, False) if _is_mathematics(source) else None


def _is_mathematics(source: str) -> bool:
    return bool(source) and len(source) <= MAX_LENGTH and "`" not in source


def _find(state: StateInline, text: str, start: int) -> int:
    """Return where `text` is next, or -1, without searching again for what is not there."""
    missing_from: dict[tuple[str, str], int] = state.env.setdefault("missing_from", {})
    if start >= missing_from.get((text, state.src), len(state.src)):
        return -1
    at = state.src.find(text, start)
    if at < 0:
        missing_from[text, state.src] = start
    return at


def _formula(_self: Any, tokens: list[Token], index: int, *_: Any) -> str:
    return as_mathml(tokens[index].content, on_own_line=tokens[index].block)


def _element(state: StateInline, silent: bool) -> bool:
    """Take `<br>`, and pairs of the few elements; all other HTML stays text."""
    if line_break := _BREAK.match(state.src, state.pos):
        if not silent:
            state.push("hardbreak", "br", 0)
        state.pos = line_break.end()
        return True
    tag = _ELEMENT.match(state.src, state.pos)
    if not tag:
        return False
    name, is_end = tag[2].lower(), bool(tag[1])
    open_tags: dict[str, int] = state.env.setdefault("open_elements", {})
    if is_end and not open_tags.get(name):
        return False
    if not is_end and _find(state, f"</{tag[2]}>", tag.end()) < 0:
        return False
    if not silent:
        open_tags[name] = open_tags.get(name, 0) + (-1 if is_end else 1)
        state.push("html_inline", "", 0).content = f"<{tag[1]}{name}>"
    state.pos = tag.end()
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Take `*` and `_` as CommonMark does, but Chinese and Japanese need no space around emphasis.

    They write none, so that the bold of `**「強調」**です` would not end there.
    """
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    length = 1
    while state.pos + length < state.posMax and state.src[state.pos + length] == marker:
        length += 1
    can_open, can_close = _flanks(state, length, in_words=marker == "*")
    for _ in range(length):
        state.push("text", "", 0).content = marker
        index = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord(marker), length, index, -1, can_open, can_close))
    state.pos += length
    return True


def _flanks(state: StateInline, length: int, *, in_words: bool) -> tuple[bool, bool]:
    """Return whether a run of markers may begin and may end emphasis, as CommonMark defines it."""
    end = state.pos + length
    before = state.src[state.pos - 1] if state.pos else " "
    after = state.src[end] if end < state.posMax else " "
    left = not isWhiteSpace(ord(after)) and (not _is_punctuation(after) or _lets_begin(before))
    right = not isWhiteSpace(ord(before)) and (not _is_punctuation(before) or _lets_begin(after))
    can_open = left and (in_words or not right or _is_punctuation(before))
    can_close = right and (in_words or not left or _is_punctuation(after))
    return can_open, can_close


def _lets_begin(neighbour: str) -> bool:
    return isWhiteSpace(ord(neighbour)) or _is_punctuation(neighbour) or _is_wide_letter(neighbour)


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def _is_wide_letter(character: str) -> bool:
    """Return whether it is a letter of Chinese, Japanese or Korean."""
    return unicodedata.east_asian_width(character) in "WF" and character.isalpha()
