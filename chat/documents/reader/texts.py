"""Sentences about files for the users who sent them."""

SUPPORTED = "Text, Markdown, CSV, PDF and Word (.docx) can be read."

EMPTY_FILE = "This file is empty."
EMPTY_DOCUMENT = "There is no text in this document."
DAMAGED = "This file is damaged or incomplete."
DAMAGED_PDF = "This PDF is damaged or incomplete."
DAMAGED_PAGES = "This PDF is damaged: none of its pages can be read."
DAMAGED_TEXT = "This text is damaged: some of it cannot be decoded."
DAMAGED_WORD = "This Word file is damaged or incomplete."
INVALID_WORD = "This is not a valid Word file."
LOCKED_PDF = "This PDF is locked with a password. Save it without one and send it again."
SCANNED_PDF = (
    "There is no text on the pages of this PDF; it is probably scanned. "
    "Run text recognition (OCR) on it and send it again."
)
UNPACKED_TOO_LARGE = "This file is too large when unpacked."
OUT_OF_MEMORY = "This file takes too much memory to read."

#: Kinds of file that cannot be read, as they follow "This is".
ARCHIVE = "a compressed file. Unpack it and send what is in it"
E_BOOK = "an e-book. Save it as PDF or text and send that"
OLD_OFFICE = "an old Office file. Save it as .docx or PDF and send that"
OPEN_DOCUMENT = "an OpenDocument file. Save it as .docx or PDF and send that"
PICTURE = "a picture, which cannot be read here"
PRESENTATION = "a presentation. Save it as PDF and send that"
PROGRAM = "a program"
RECORDING = "a recording or a video, which cannot be read here"
RICH_TEXT = "a Rich Text file. Save it as .docx or PDF and send that"
SPREADSHEET = "a spreadsheet. Save it as CSV and send that"
NOT_TEXT = "not text"

#: Reasons why pages were skipped.
BLANK_PAGE = "no text, perhaps a picture"
DAMAGED_PAGE = "damaged"


def unsupported(kind: str) -> str:
    """Return the sentence for a kind of file that cannot be read."""
    return f"This is {kind}. {SUPPORTED}"


def too_long(size: str, limit: int) -> str:
    """Return the sentence for a document of more than `limit` characters."""
    return f"This document has {size}; the maximum is {limit:,} characters. Please send only a part of it."


def characters(count: int) -> str:
    """Return the size of a document whose length is known."""
    return f"{count:,} characters of text"


def more_characters(limit: int) -> str:
    """Return the size of a document that was read up to `limit` characters."""
    return f"more than {limit:,} characters of text"


def pages_with(count: int, size: str) -> str:
    """Return the size of a document with pages."""
    return f"{count:,} pages with {size}"


def more_rows(count: int) -> str:
    """Return the size of a table that was read up to `count` rows."""
    return f"more than {count:,} rows"


def too_many_pages(count: int, limit: int) -> str:
    """Return the sentence for a PDF with more than `limit` pages."""
    return f"This PDF has {count:,} pages; the maximum is {limit}. Please send only a part of it."


def too_many_columns(count: int, limit: int) -> str:
    """Return the sentence for a table with more than `limit` columns."""
    return f"This table has {count:,} columns; the maximum is {limit}."


def skipped_pages(pages: str, many: bool, reason: str) -> str:
    """Return the description of skipped pages; `pages` are their numbers."""
    return f"page{'s' if many else ''} {pages} ({reason})"
