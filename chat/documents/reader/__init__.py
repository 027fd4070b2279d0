"""Text from untrusted files. Runs in a child process (`__main__.py`), and so imports nothing from outside.

`kinds.py` detects the kind of a file and calls `pdf.py`, `word.py` or `text.py`; `texts.py` holds the
sentences for users. The text carries its own structure: form feeds separate pages, empty lines separate
paragraphs, headings are lines that begin with `#` (in kinds that have headings), table rows are lines.
"""

from dataclasses import dataclass, field

from . import texts

#: Maximum bytes of a file.
MAX_BYTES = 20 * 1024 * 1024
MAX_PAGES = 500
#: Maximum characters of text: about two hundred pages of a book.
MAX_CHARACTERS = 400_000
MAX_COLUMNS = 500
#: Maximum bytes of an unpacked Word file.
MAX_UNPACKED = 100 * 1024 * 1024
#: Maximum number of files inside a Word file.
MAX_PARTS = 5_000


class Unreadable(Exception):
    """The file cannot be read; `message` is a sentence for the user who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(kw_only=True)
class Document:
    """The text of a file, with what is known about it."""

    kind: str
    """`pdf`, `docx`, `csv`, `md` or `txt`."""
    text: str
    pages: int | None = None
    """None for formats without pages."""
    columns: str = ""
    """A table's first row."""
    skipped: list[str] = field(default_factory=list)
    """Descriptions of what could not be read, such as `page 4 (damaged)`."""


def length_error(size: str) -> Unreadable:
    """Return the error for a document that is too long; `size` describes its length."""
    return Unreadable("too_long", texts.too_long(size, MAX_CHARACTERS))


def validated(document: Document) -> Document:
    """Return the document. Raises `Unreadable` when it has no text or too much."""
    if not document.text.strip():
        raise Unreadable("empty", texts.EMPTY_DOCUMENT)
    if len(document.text) > MAX_CHARACTERS:
        raise length_error(texts.characters(len(document.text)))
    return document


def ranges(numbers: list[int]) -> str:
    """Return sorted numbers as ranges: `4, 7–9`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
