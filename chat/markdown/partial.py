"""Render the Markdown of an answer that is still being written.

`settled_length` returns how much of a text consists of blocks that no later text can change: they are
rendered once, and only the rest is rendered again. `render_open` renders that rest as it will most probably
look: open markup is closed, and characters that may become markup are deferred instead of shown.
"""

import re
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from .inline_rules import BRACKETS
from .mathematics import MAX_LENGTH
from .render import References, clean, parser

#: Any definition `[label]: url`, and some similar text. A definition can change links anywhere in the text.
_DEFINITION = re.compile(r"(?:\A|[\r\n])[ \t>*+\-\d.)]*\[(?:\\.|[^\\\[\]]){1,999}\]:", re.DOTALL)
_LINE_END = re.compile(r"\r\n?|\n")
#: A last line that contains only the beginning of a block, or of its end.
_BLOCK_MARK = re.compile(r"(?:\A|\n)[ \t>]*(?:#{1,6}|[-+*=~_`:|]+|\d{1,9}[.)]?)[ \t]*\Z")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:.*?[^`])\1(?!`)", re.DOTALL)
_OPEN_LINK = re.compile(r"!?\[([^\[\]]*)(?:\]\([^()]*)?\Z")
#: The begin or the end of a formula.
_FORMULA_MARK = re.compile(r"\\[()\[\]]|\$\$")
#: HTML whose last words are an address: what follows it may belong to it or not.
_ADDRESS_END = re.compile(r"</a>(?:</\w+>\s*)*\Z")
_TABLE_HEAD = re.compile(r"\|[^\n]*(?:\n[ \t|:-]*)?\Z")
#: After these characters the next text cannot change what is shown.
_PLAIN_ENDS = tuple(".,;:?!)\"'’”")


class OpenHtml(NamedTuple):
    """The rendered rest of a text, after the settled blocks."""

    html: str
    continues: bool
    """True when the next text most probably continues the last words of `html` without a change."""


def has_definitions(text: str) -> bool:
    """Return True when the text may define links; then nothing is settled before its end."""
    return bool(_DEFINITION.search(text))


def settled_length(text: str) -> int:
    """Return the number of characters in complete blocks, which render the same with any continuation.

    `has_definitions` must be False for the text.
    """
    # An incomplete last line may still belong to the block before it: "#" of "#1", "-" of "-1".
    complete = text[: text.rfind("\n") + 1]
    starts = [token.map[0] for token in _blocks.parse(complete) if token.map and not token.level]
    if len(starts) < 2:
        return 0
    ends = [match.end() for match in _LINE_END.finditer(complete)]
    return ends[starts[-1] - 1]


def render_open(text: str) -> OpenHtml:
    """Return the text after the settled blocks as sanitised HTML."""
    mark = _BLOCK_MARK.search(text)
    env: dict[str, Any] = {"deferred": bool(mark), "references": References(text)}
    tokens = _open.parse(text[: mark.start()] if mark else text, env)
    html = clean(_open.renderer.render(tokens, _open.options, env))
    if tokens and tokens[-1].type == "fence" and not mark:
        return OpenHtml(html, bool(tokens[-1].content) and text.endswith(tokens[-1].content))
    is_plain = (text[-1:].isalnum() or text.endswith(_PLAIN_ENDS)) and not _ADDRESS_END.search(html[-100:])
    return OpenHtml(html, is_plain and not env["deferred"])


def _defer_open_markup(state: StateCore) -> None:
    """Remove the end of the last inline text that may become markup, before inline markup is parsed."""
    inline = _last_inline(state.tokens)
    if inline is None:
        return
    content = "" if _TABLE_HEAD.match(inline.content) else _without_open_ends(inline.content)
    in_table = state.tokens[-1].type == "table_close"
    state.env["deferred"] = state.env["deferred"] or in_table or content != inline.content
    inline.content = content
    state.env["last"] = inline.children
    if not content and state.tokens[-1].type == "paragraph_close" and not state.tokens[-1].hidden:
        del state.tokens[-3:]


def _last_inline(tokens: list[Token]) -> Token | None:
    for token in reversed(tokens):
        if token.type in ("fence", "code_block", "hr"):
            return None
        if token.type == "inline" and token.content:
            return token
    return None


def _without_open_ends(text: str) -> str:
    """Return `text` without incomplete markup at its end; an open code span is closed."""
    masked = _CODE_SPAN.sub(lambda span: "x" * len(span[0]), text)
    if "`" in masked:
        start = masked.index("`")
        code = text[start:].lstrip("`")
        marks = "`" * (len(text) - start - len(code))
        return text[:start] + (marks + code.rstrip("`") + marks if code.strip("`") else "")
    if link := _OPEN_LINK.search(masked):
        text = text[: link.start()] + text[slice(*link.span(1))]
    if (formula := _begin_of_open_formula(masked)) >= 0:
        text = text[:formula].rstrip(" \t")
    stripped = text.rstrip("*_~\\")
    return text if stripped == text else stripped.rstrip(" \t")


def _begin_of_open_formula(text: str) -> int:
    """Return where a formula begins that may still get its end; -1 without one."""
    begin, end = -1, ""
    for mark in _FORMULA_MARK.finditer(text):
        if begin < 0 or mark.start() - begin > MAX_LENGTH:
            is_begin = mark[0] in BRACKETS and text[mark.start() - 1 : mark.start()] != "\\"
            begin, end = (mark.start(), BRACKETS[mark[0]][0]) if is_begin else (-1, "")
        elif mark[0] == end:
            begin = -1
    return begin if len(text) - begin <= MAX_LENGTH else -1


def _close_emphasis(state: StateInline) -> None:
    """Close emphasis that is open in the last inline text, after pairs were matched; `2*3` stays as it is."""
    if state.tokens is not state.env.get("last"):
        return
    delimiters = state.delimiters
    for opener in reversed(delimiters.copy()):
        if not opener.open or opener.close or opener.end >= 0:
            continue
        state.push("text", "", 0).content = chr(opener.marker)
        opener.end = len(delimiters)
        token = len(state.tokens) - 1
        delimiters.append(Delimiter(opener.marker, opener.length, token, -1, False, True))


def _open_parser() -> MarkdownIt:
    markdown = parser()
    markdown.core.ruler.after("block", "defer_open_markup", _defer_open_markup)
    markdown.inline.ruler2.after("balance_pairs", "close_emphasis", _close_emphasis)
    return markdown


_open = _open_parser()
_blocks = parser()
_blocks.core.ruler.enableOnly(["normalize", "block"])
