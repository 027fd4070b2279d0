"""Text from files of strangers. Runs in a process of its own (`__main__.py`), and so imports nothing of ours.

The text carries its own structure: pages are parted by form feeds, paragraphs by empty lines, headings are
lines that begin with `#` (in kinds that have headings), table rows are lines.
"""

from dataclasses import dataclass, field

TAKEN = "Text, Markdown, CSV, PDF and Word (.docx) can be read."
#: Bytes of a file.
MAX_BYTES = 20 * 1024 * 1024
MAX_PAGES = 500
#: Characters of text: about two hundred pages of a book.
MAX_CHARACTERS = 400_000
MAX_COLUMNS = 500
#: Bytes that a Word file may have when it is unpacked, and the parts it may consist of.
MAX_UNPACKED = 100 * 1024 * 1024
MAX_PARTS = 5_000


class Unreadable(Exception):
    """Why there is no text to be had, in a sentence for whoever sent the file."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(kw_only=True)
class Document:
    """What was read."""

    kind: str
    """`pdf`, `docx`, `csv`, `md` or `txt`."""
    text: str
    pages: int | None = None
    """Where the format has pages."""
    columns: str = ""
    """A table's first row."""
    skipped: list[str] = field(default_factory=list)
    """What could not be read, each in a few words such as `page 4 (no text on it)`."""


def too_long(characters: int, unit: str = "") -> Unreadable:
    said = unit or f"{characters:,} characters of text"
    return Unreadable(
        "too_long",
        f"This document has {said}; {MAX_CHARACTERS:,} characters is the most. Please send a part of it.",
    )


def checked(document: Document) -> Document:
    """The document, if there is something in it and not too much."""
    if not document.text.strip():
        raise Unreadable("empty", "There is no text in this document.")
    if len(document.text) > MAX_CHARACTERS:
        raise too_long(len(document.text))
    return document


def numbers(found: list[int]) -> str:
    """`4, 7–9`, from sorted numbers."""
    runs: list[list[int]] = []
    for number in found:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
