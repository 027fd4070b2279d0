"""Markdown that changes nothing after it when several texts stand in one file."""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: With raw HTML: other programs that show the file may read it, and a `<!--` without end hides the rest.
_blocks = MarkdownIt("commonmark", {"html": True})
_blocks.core.ruler.enableOnly(["normalize", "block"])
#: The begin of a line that may begin a block of HTML.
_HTML = re.compile(r"^([ \t>*+\d.)-]*)<")
#: A paragraph after the text. Where it does not stand alone, the text has not ended.
_AFTER = "after"
#: Headings of a text are this number of levels below those of the file, of which there are six.
_LEVELS, _LOWEST = 2, 6


def standalone(text: str) -> str:
    """Return Markdown that looks the same, ends what it leaves open, and has its headings below a file's."""
    text = _with_lower_headings(text.replace("\r\n", "\n").replace("\r", "\n"))
    block = _open_block(text)
    if block is not None and block.type == "html_block":
        text = _with_html_as_text(text, block)
        block = _open_block(text)
    return text if block is None else f"{text.rstrip(chr(10))}\n{block.markup}"


def _open_block(text: str) -> Token | None:
    """Return the block at the end of the text that would continue in what follows; None if none would."""
    last = [token for token in _blocks.parse(f"{text}\n\n{_AFTER}") if token.content][-1]
    return None if last.type == "inline" else last


def _with_html_as_text(text: str, block: Token) -> str:
    """Return the text without blocks of HTML from this one on."""
    lines = text.split("\n")
    start = block.map[0] if block.map else 0
    return "\n".join(lines[:start] + [_HTML.sub(r"\1\\<", line) for line in lines[start:]])


def _with_lower_headings(text: str) -> str:
    lines = text.split("\n")
    for token in reversed(_blocks.parse(text)):
        if token.type == "heading_open" and token.map:
            start, end = token.map
            lines[start:end] = _lower(lines[start:end], token)
    return "\n".join(lines)


def _lower(lines: list[str], heading: Token) -> list[str]:
    """Return the lines of a heading as one of a lower level. An underlined one becomes one line with `#`."""
    marks = "#" * min(int(heading.tag[1]) + _LEVELS, _LOWEST)
    if heading.markup.startswith("#"):
        return [lines[0].replace(heading.markup, marks, 1)]
    before = lines[0][: len(lines[0]) - len(lines[0].lstrip(" >"))]
    return [f"{before}{marks} {' '.join(line.lstrip(' >') for line in lines[:-1])}"]
