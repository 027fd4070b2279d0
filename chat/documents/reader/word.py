"""Read the text of a Word file (.docx): headings, paragraphs, lists and tables in their order."""

import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from . import MAX_CHARACTERS, Document, Unreadable, length_error, texts

_HEADING = re.compile(r"(?:Heading|Überschrift|Titre) ([1-9])|(Title)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u00ad\ufffe\uffff]")
#: Maximum depth of tables inside tables.
_MAX_DEPTH = 5


def read(file: zipfile.ZipFile) -> Document:
    """Return the document in a Word file. Raises `Unreadable`."""
    try:
        if b"<!DOCTYPE" in file.read("word/document.xml")[:4096]:  # Word writes none; entity bombs need one
            raise Unreadable("broken", texts.INVALID_WORD)
        content = docx.Document(file.fp)
        text = _joined(_blocks(content))
    except (Unreadable, MemoryError):
        raise
    except Exception:  # python-docx and lxml raise any exception for damaged files
        raise Unreadable("broken", texts.DAMAGED_WORD) from None
    return Document(kind="docx", text=text)


def _joined(blocks: Iterator[str]) -> str:
    joined: list[str] = []
    length = 0
    for block in blocks:
        joined.append(block)
        length += len(block) + 2
        if length > MAX_CHARACTERS:
            raise length_error(texts.more_characters(MAX_CHARACTERS))
    return "\n\n".join(joined)


def _blocks(within: Any, depth: int = 0) -> Iterator[str]:
    for item in within.iter_inner_content():
        text = _paragraph(item) if isinstance(item, Paragraph) else _table(item, depth)
        if text:
            yield text


def _paragraph(paragraph: Paragraph) -> str:
    text = "\n".join(_one_line(line) for line in paragraph.text.split("\n")).strip()
    style = paragraph.style.name if paragraph.style else ""
    if text and (heading := _HEADING.match(style or "")):
        return f"{'#' * min(int(heading[1] or 1), 6)} {_one_line(text)}"
    return f"- {text}" if text and (style or "").startswith("List") else text


def _table(table: Table, depth: int) -> str:
    if depth >= _MAX_DEPTH:
        return ""
    rows = []
    for row in table.rows:
        cells: list[str] = []
        last = None
        for cell in row.cells:
            if cell._tc is not last:  # a merged cell appears once for each column it spans
                cells.append(_one_line(" ".join(_blocks(cell, depth + 1))))
            last = cell._tc
        rows.append(" | ".join(cells))
    return "\n".join(row for row in rows if row.strip(" |"))


def _one_line(text: str) -> str:
    return " ".join(_CONTROL.sub("", text).split())
