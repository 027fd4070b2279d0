"""From a model's Markdown to HTML that is safe to put into the page."""

from functools import lru_cache
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .highlighting import CLASSES, highlight

# fmt: off
#: All that is left of HTML.
TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}
# fmt: on
_ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"align"},
    "th": {"align"},
}


def _keep(tag: str, name: str, value: str) -> str | None:
    """Of classes only the language of a code block, and what its words are: all that is made here."""
    if name != "class" or (value in CLASSES if tag == "span" else value.startswith("language-")):
        return value
    return None


_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_keep,
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",  # a model has no business pointing into this site
)


def _image(_self: Any, tokens: list[Token], index: int, *_: Any) -> str:
    """Its description only: fetching an image would tell its host who reads."""
    return escape(tokens[index].content)


def _cell(self: Any, tokens: list[Token], index: int, options: Any, _env: Any) -> str:
    """A cell's alignment as an attribute: the page's policy forbids inline styles."""
    if style := tokens[index].attrs.pop("style", None):
        tokens[index].attrSet("align", str(style).removeprefix("text-align:"))
    return str(self.renderToken(tokens, index, options, _env))


def parser() -> MarkdownIt:
    """A parser of the Markdown that is spoken here."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("td_open", _cell)
    markdown.add_render_rule("th_open", _cell)
    return markdown


_markdown = parser()
_markdown.options["highlight"] = lambda code, language, _attributes: highlight(code, language)


def clean(html: str) -> str:
    """Of HTML made from Markdown, what is safe to put into the page."""
    return _cleaner.clean(html)


@lru_cache(maxsize=512)
def render(text: str) -> str:
    """`text` as sanitised HTML. Raw HTML in it is shown, not obeyed. Takes about 1 ms a page."""
    return clean(_markdown.render(text))
