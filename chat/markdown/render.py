"""Render a model's Markdown to HTML that is safe to insert into the page."""

from functools import cache, lru_cache
from hashlib import sha256
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.token import Token

from . import mathematics
from .block_rules import add_block_rules
from .highlighting import CLASSES, highlight
from .inline_rules import add_inline_rules
from .links import add_links

# fmt: off
#: The allowed HTML elements.
TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "input", "kbd", "li",
    "mark", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead",
    "tr", "ul", *mathematics.TAGS,
}
# fmt: on
_ATTRIBUTES = {
    "a": {"href", "title"},
    "blockquote": {"dir"},
    "code": {"class"},
    "input": {"type", "checked", "disabled"},
    "ol": {"start", "dir"},
    "span": {"class"},
    "table": {"dir"},
    "td": {"align"},
    "th": {"align"},
    "ul": {"dir"},
    **dict.fromkeys(mathematics.TAGS, mathematics.ATTRIBUTES),
}


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    """Return the attribute's value, or None for a class that is neither a code language nor a highlight."""
    if name != "class" or (value in CLASSES if tag == "span" else value.startswith("language-")):
        return value
    return None


_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_filter_attribute,
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",  # links of a model must not point into this site
)


#: Characters of links, and cells of tables, that a text may have beyond its own length.
_MORE_LINK_CHARACTERS, _MORE_CELLS = 10_000, 5_000


class References(dict[str, Any]):
    """The link definitions of a text. All links together are not much longer than the text itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._room = len(text) + _MORE_LINK_CHARACTERS

    def get(self, label: str, default: Any = None) -> Any:
        """Return the definition of a label; `default` for an unknown one, and when no room is left."""
        if found := super().get(label):
            self._room -= len(found["href"]) + len(found["title"])
        return found if found and self._room >= 0 else default


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Begin a table, unless rows without cells could give it many more cells than the text has letters."""
    if start + 1 < end:
        columns = state.src.count("|", state.bMarks[start + 1], state.eMarks[start + 1])
        if columns * (end - start) > len(state.src) + _MORE_CELLS:
            return False
    return table(state, start, end, silent)


def _image(_self: Any, tokens: list[Token], index: int, *_: Any) -> str:
    """Return the image's description only: fetching the image would reveal the reader to its host."""
    return escape(tokens[index].content)


def _cell(self: Any, tokens: list[Token], index: int, options: Any, _env: Any) -> str:
    """Return a cell with its alignment as an attribute: the page's policy forbids inline styles."""
    if style := tokens[index].attrs.pop("style", None):
        tokens[index].attrSet("align", str(style).removeprefix("text-align:"))
    return str(self.renderToken(tokens, index, options, _env))


def parser() -> MarkdownIt:
    """Return a parser for the supported Markdown.

    It is CommonMark with tables, strikethrough, task lists, footnotes, mathematics, addresses without markup,
    and a few elements of HTML.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    add_inline_rules(markdown)
    add_links(markdown)
    add_block_rules(markdown)
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("td_open", _cell)
    markdown.add_render_rule("th_open", _cell)
    return markdown


_markdown = parser()
_markdown.options["highlight"] = lambda code, language, _attributes: highlight(code, language)


def clean(html: str) -> str:
    """Return the safe part of HTML that was made from Markdown."""
    return _cleaner.clean(html)


@lru_cache(maxsize=64)
def render(text: str) -> str:
    """Return `text` as sanitised HTML. Raw HTML in it is shown as text. Takes up to 3 ms for 1,000 letters.

    The last texts are kept for the sockets of one owner, which all show the end of the same answer.
    """
    return clean(_markdown.render(text, {"references": References(text)}))


def rendering_digest(text: str) -> str:
    """Return 32 characters that change with `text`, and with the code that renders it."""
    return sha256(_renderer_digest() + text.encode(errors="replace")).hexdigest()[:32]


@cache
def _renderer_digest() -> bytes:
    """Return the digest of the code that renders: this room's files, and the versions of its libraries."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    versions = map(version, ("markdown-it-py", "nh3", "pygments"))
    return sha256(b"".join(file.read_bytes() for file in files) + " ".join(versions).encode()).digest()
