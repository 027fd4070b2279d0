"""The text of a PDF, page by page."""

import io
import re

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PyPdfError

from . import MAX_CHARACTERS, MAX_PAGES, Document, Unreadable, numbers, too_long

#: A word that a line's end has cut in two.
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[a-zß-öø-ÿ])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff\u00ad]")
_SPACES = re.compile(r"[ \t\u00a0]+")
_EMPTY_LINES = re.compile(r"\n\s*\n")


def read(data: bytes) -> Document:
    """The document. Raises `Unreadable`."""
    try:
        file = PdfReader(io.BytesIO(data))
        _unlock(file)
        count = len(file.pages)
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError) as exc:
        raise _trouble(exc) from None
    if count > MAX_PAGES:
        raise Unreadable(
            "too_long", f"This PDF has {count:,} pages; {MAX_PAGES} is the most. Send a part of it."
        )
    pages = _pages(file, count)
    return _document(pages)


def _unlock(file: PdfReader) -> None:
    """Many a PDF is locked against changes only: those open with no password."""
    if file.is_encrypted and not file.decrypt(""):
        raise FileNotDecryptedError("a password is needed")


def _trouble(exc: Exception) -> Unreadable:
    if isinstance(exc, FileNotDecryptedError | DependencyError):
        return Unreadable(
            "encrypted", "This PDF is locked with a password. Save it without one and send it again."
        )
    if isinstance(exc, LimitReachedError):
        return Unreadable("too_large", "This file is far larger unpacked than a document can be.")
    return Unreadable("broken", "This PDF is damaged or incomplete.")


def _pages(file: PdfReader, count: int) -> list[str | None]:
    """The text of each page; None where it cannot be read."""
    pages: list[str | None] = []
    length = 0
    for number in range(count):
        try:
            page = file.pages[number]
            page.get_contents()  # raises for a bomb, which extract_text takes for an empty page
            text = _tidy(page.extract_text())
        except LimitReachedError as exc:
            raise _trouble(exc) from None
        except MemoryError:
            raise
        except Exception:  # pypdf raises anything at all on damaged pages
            pages.append(None)
            continue
        pages.append(text)
        length += len(text)
        if length > MAX_CHARACTERS:
            raise too_long(length, f"{count:,} pages with more than {MAX_CHARACTERS:,} characters of text")
    return pages


def _tidy(text: str) -> str:
    text = _CONTROL.sub("", _HYPHEN.sub("", text.replace("\r", "\n")))
    text = _EMPTY_LINES.sub("\n\n", _SPACES.sub(" ", text))
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def _document(pages: list[str | None]) -> Document:
    if all(page is None for page in pages):
        raise Unreadable("broken", "This PDF is damaged: none of its pages can be read.")
    if not any(pages):
        raise Unreadable(
            "no_text",
            "There is no text on the pages of this PDF; it is probably scanned. "
            "Have its text recognised (OCR) and send it again.",
        )
    blank = [number for number, page in enumerate(pages, 1) if page == ""]
    damaged = [number for number, page in enumerate(pages, 1) if page is None]
    skipped = [
        f"page{'s' if len(found) > 1 else ''} {numbers(found)} ({why})"
        for found, why in ((blank, "no text, perhaps a picture"), (damaged, "damaged"))
        if found
    ]
    return Document(
        kind="pdf", text="\f".join(page or "" for page in pages), pages=len(pages), skipped=skipped
    )
