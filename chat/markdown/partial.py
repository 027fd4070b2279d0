"""Markdown of an answer that is still being written.

What is done stays done: `settled` tells how much of a text is blocks that nothing to come can change, so
they are rendered once, and only the rest anew. `render_open` renders that rest as it will most probably
look: what is open is closed, and what may yet become markup is held back rather than shown raw.
"""

import re
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from .render import clean, parser

#: Any definition of `[label]: url`, and a little more. It may change what links to it anywhere in the text.
_DEFINITION = re.compile(r"(?:\A|[\r\n])[ \t>*+\-\d.)]*\[(?:\\.|[^\\\[\]]){1,999}\]:", re.DOTALL)
_LINE_END = re.compile(r"\r\n?|\n")
#: A last line of nothing but the beginning of a block, or of the end of one.
_BLOCK_MARK = re.compile(r"(?:\A|\n)[ \t>]*(?:#{1,6}|[-+*=~_`:|]+|\d{1,9}[.)]?)[ \t]*\Z")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:.*?[^`])\1(?!`)", re.DOTALL)
_OPEN_LINK = re.compile(r"!?\[([^\[\]]*)(?:\]\([^()]*)?\Z")
_TABLE_HEAD = re.compile(r"\|[^\n]*(?:\n[ \t|:-]*)?\Z")
#: After these a word is over, or goes on as it is.
_PLAIN_ENDS = tuple(".,;:?!)\"'’”")


class Open(NamedTuple):
    """The rest of a text, rendered."""

    html: str
    goes_on: bool
    """Whether what comes next most probably belongs to the last words of `html`, as it is written."""


def has_definitions(text: str) -> bool:
    """Whether the text may define links, so that nothing of it is settled before its end."""
    return bool(_DEFINITION.search(text))


def settled(text: str) -> int:
    """How many characters of a text that goes on are whole blocks; whatever comes, they render the same.

    The text must not `has_definitions`.
    """
    # A line that has not ended may be of the block before it: "#" of "#1", "-" of "-1".
    complete = text[: text.rfind("\n") + 1]
    starts = [token.map[0] for token in _blocks.parse(complete) if token.map and not token.level]
    if len(starts) < 2:
        return 0
    ends = [match.end() for match in _LINE_END.finditer(complete)]
    return ends[starts[-1] - 1]


def render_open(text: str) -> Open:
    """What follows the settled blocks, as sanitised HTML."""
    mark = _BLOCK_MARK.search(text)
    env: dict[str, Any] = {"held": bool(mark)}
    tokens = _open.parse(text[: mark.start()] if mark else text, env)
    html = clean(_open.renderer.render(tokens, _open.options, env))
    if tokens and tokens[-1].type == "fence" and not mark:
        return Open(html, bool(tokens[-1].content) and text.endswith(tokens[-1].content))
    return Open(html, not env["held"] and (text[-1:].isalnum() or text.endswith(_PLAIN_ENDS)))


def _mend(state: StateCore) -> None:
    """Before inline markup is parsed: of the last words hold back what may yet become markup."""
    inline = _last_words(state.tokens)
    if inline is None:
        return
    content = "" if _TABLE_HEAD.match(inline.content) else _without_open_ends(inline.content)
    in_table = state.tokens[-1].type == "table_close"
    state.env["held"] = state.env["held"] or in_table or content != inline.content
    inline.content = content
    state.env["last"] = inline.children
    if not content and state.tokens[-1].type == "paragraph_close" and not state.tokens[-1].hidden:
        del state.tokens[-3:]


def _last_words(tokens: list[Token]) -> Token | None:
    for token in reversed(tokens):
        if token.type in ("fence", "code_block", "hr"):
            return None
        if token.type == "inline" and token.content:
            return token
    return None


def _without_open_ends(text: str) -> str:
    """`text` without the markup at its end that is not whole; an open code span is closed."""
    masked = _CODE_SPAN.sub(lambda span: "x" * len(span[0]), text)
    if "`" in masked:
        start = masked.index("`")
        code = text[start:].lstrip("`")
        marks = "`" * (len(text) - start - len(code))
        return text[:start] + (marks + code.rstrip("`") + marks if code.strip("`") else "")
    if link := _OPEN_LINK.search(masked):
        text = text[: link.start()] + text[slice(*link.span(1))]
    whole = text.rstrip("*_~\\")
    return text if whole == text else whole.rstrip(" \t")


def _close_emphasis(state: StateInline) -> None:
    """After pairs were found: close what was opened in the last words. Of `2*3` nobody knows."""
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
    markdown.core.ruler.after("block", "mend", _mend)
    markdown.inline.ruler2.after("balance_pairs", "close_emphasis", _close_emphasis)
    return markdown


_open = _open_parser()
_blocks = parser()
_blocks.core.ruler.enableOnly(["normalize", "block"])
