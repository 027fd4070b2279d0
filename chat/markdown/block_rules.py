"""Blocks beyond CommonMark: tasks, footnotes, and the direction of lists, quotes and tables."""

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

#: The begin of a list item that is a task.
_TASK = re.compile(r"\[[ xX]\]\s")


def add_block_rules(markdown: MarkdownIt) -> None:
    """Add the rules to a parser."""
    markdown.core.ruler.after("inline", "tasks", _mark_tasks)
    markdown.core.ruler.push("direction", _set_direction)
    markdown.use(footnote_plugin, inline=False)
    markdown.add_render_rule("footnote_ref", _footnote_reference)
    markdown.add_render_rule("footnote_anchor", _nothing)


def _footnote_reference(_self: Any, tokens: list[Token], index: int, *_: Any) -> str:
    """Return the number of a footnote without a link: several messages of a page would use the same id."""
    return f"<sup>{tokens[index].meta['id'] + 1}</sup>"


def _nothing(*_: Any) -> str:
    return ""


def _mark_tasks(state: StateCore) -> None:
    """Put a checkbox in place of `[ ]` or `[x]` at the begin of a list item."""
    for item, _, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if item.type != "list_item_open" or inline.type != "inline" or not _TASK.match(inline.content):
            continue
        box, text = Token("html_inline", "", 0), inline.children[0]  # type: ignore[index]
        checked = "" if text.content.startswith("[ ]") else " checked"
        box.content = f'<input type="checkbox" disabled{checked}>'
        text.content = text.content[3:]
        inline.children.insert(0, box)  # type: ignore[union-attr]


def _set_direction(state: StateCore) -> None:
    """Give lists, quotes and tables the direction of their own first words, as paragraphs have it."""
    for token in state.tokens:
        if not token.level and token.tag in ("ul", "ol", "blockquote", "table") and token.nesting == 1:
            token.attrSet("dir", "auto")
