"""Links for addresses without markup: `https://…`, `www.…` and e-mail addresses, as on GitHub.

`example.org` alone stays text: so do `README.md` and `main.rs`.
"""

import re
from typing import Any

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

#: Maximum characters of an address. It bounds what is looked at for each.
_MAX_LENGTH = 2000
#: A host that is not too long for one. A long run of labels would be tried at each of them.
_HOST = re.compile(r"[^\W_][^\s/?#:]{0,252}(?![^\s/?#:])")
_SCHEME = re.compile(r"(?:\A|[^a-z0-9.+-])(https?)\Z", re.IGNORECASE)


def add_links(markdown: MarkdownIt) -> None:
    """Add the links to a parser."""
    linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_ip": False, "fuzzy_email": True})
    linkify.add("//", None).add("ftp:", None)
    linkify.add("www.", {"validate": _www, "normalize": _normalize_www})
    markdown.linkify = linkify
    markdown.options["linkify"] = True
    markdown.enable("linkify")
    markdown.inline.ruler.at("linkify", _address)


def _www(linkify: LinkifyIt, text: str, at: int) -> int:
    """Return the length of what follows `www.` at this place, if it is a host with a path; else 0."""
    if not _HOST.match(text, at):
        return 0
    return max(
        0, int(linkify.test_schema_at(f"//www.{text[at : at + _MAX_LENGTH]}", "http:", 0)) - len("//www.")
    )


def _normalize_www(_linkify: LinkifyIt, match: Any) -> None:
    match.url = f"http://{match.url}"


def _address(state: StateInline, silent: bool) -> bool:
    """Take an address at its `://`, before `_` and `*` in it can become emphasis."""
    if state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME.search(state.pending[-10:])
    if not scheme or not _HOST.match(state.src, state.pos + 3):
        return False
    start = state.pos - len(scheme[1])
    found = state.md.linkify.match_at_start(state.src[start : start + _MAX_LENGTH])  # type: ignore[union-attr]
    if not found:
        return False
    shown = found.url.rstrip("*")  # `**https://…**` is emphasis around an address
    href = state.md.normalizeLink(shown)
    if not state.md.validateLink(href):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        opening = state.push("link_open", "a", 1)
        opening.attrs, opening.markup, opening.info = {"href": href}, "linkify", "auto"
        state.push("text", "", 0).content = state.md.normalizeLinkText(shown)
        closing = state.push("link_close", "a", -1)
        closing.markup, closing.info = "linkify", "auto"
    state.pos += len(shown) - len(scheme[1])
    return True
