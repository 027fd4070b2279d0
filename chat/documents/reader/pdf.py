"""Read the text of a PDF, page by page."""

import io
import re

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PyPdfError

from . import MAX_CHARACTERS, MAX_PAGES, Document, Unreadable, length_error, ranges, texts

#: A hyphen that splits a word at a line's end.
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[a-zß-öø-ÿ])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff\u00ad]")
_SPACES = re.compile(r"[ \t\u00a0]+")
_EMPTY_LINES = re.compile(r"\n\s*\n")


def read(data: bytes) -> Document:
    """Return the document in a PDF's bytes. Raises `Unreadable`."""
    try:
        file = PdfReader(io.BytesIO(data))
        _unlock(file)
        count = len(file.pages)
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError) as exc:
        raise _error(exc) from None
    if count > MAX_PAGES:
        raise Unreadable("too_long", texts.too_many_pages(count, MAX_PAGES))
    return _document(_pages(file, count))


def _unlock(file: PdfReader) -> None:
    """Open an encrypted PDF without a password. This works for those that are locked only against changes."""
    if file.is_encrypted and not file.decrypt(""):
        raise FileNotDecryptedError("a password is needed")


def _error(exc: Exception) -> Unreadable:
    if isinstance(exc, FileNotDecryptedError | DependencyError):
        return Unreadable("encrypted", texts.LOCKED_PDF)
    if isinstance(exc, LimitReachedError):
        return Unreadable("too_large", texts.UNPACKED_TOO_LARGE)
    return Unreadable("broken", texts.DAMAGED_PDF)


def _pages(file: PdfReader, count: int) -> list[str | None]:
    """Return the text of each page; None for a page that cannot be read."""
    pages: list[str | None] = []
    length = 0
    for number in range(count):
        try:
            page = file.pages[number]
            page.get_contents()  # raises for a decompression bomb, which extract_text treats as an empty page
            text = _tidy(page.extract_text())
        except LimitReachedError as exc:
            raise _error(exc) from None
        except MemoryError:
            raise
        except Exception:  # pypdf raises any exception for damaged pages
            pages.append(None)
            continue
        pages.append(text)
        length += len(text)
        if length > MAX_CHARACTERS:
            raise length_error(texts.pages_with(count, texts.more_characters(MAX_CHARACTERS)))
    return pages


def _tidy(text: str) -> str:
    text = _CONTROL.sub("", _HYPHEN.sub("", text.replace("\r", "\n")))
    text = _EMPTY_LINES.sub("\n\n", _SPACES.sub(" ", text))
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def _document(pages: list[str | None]) -> Document:
    if all(page is None for page in pages):
        raise Unreadable("broken", texts.DAMAGED_PAGES)
    if not any(pages):
        raise Unreadable("no_text", texts.SCANNED_PDF)
    blank = [number for number, page in enumerate(pages, 1) if page == ""]
    damaged = [number for number, page in enumerate(pages, 1) if page is None]
    skipped = [
        texts.skipped_pages(ranges(numbers), len(numbers) > 1, reason)
        for numbers, reason in ((blank, texts.BLANK_PAGE), (damaged, texts.DAMAGED_PAGE))
        if numbers
    ]
    return Document(
        kind="pdf", text="\f".join(page or "" for page in pages), pages=len(pages), skipped=skipped
    )
