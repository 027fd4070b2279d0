"""What a file is, by its content. Its name only tells kinds of plain text apart."""

import io
import zipfile

from . import MAX_PARTS, MAX_UNPACKED, TAKEN, Document, Unreadable, checked, pdf, text, word

#: How files begin that are often sent, and what they are.
_OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file. Save it as .docx or PDF and send that",
    b"{\\rtf": "a Rich Text file. Save it as .docx or PDF and send that",
    b"\x89PNG": "a picture, which cannot be read here",
    b"\xff\xd8\xff": "a picture, which cannot be read here",
    b"GIF8": "a picture, which cannot be read here",
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"\x1f\x8b": "a packed file. Unpack it and send what is in it",
    b"Rar!": "a packed file. Unpack it and send what is in it",
    b"7z\xbc\xaf": "a packed file. Unpack it and send what is in it",
}
_OFFICE = {
    "xl/": "a spreadsheet. Save it as CSV and send that",
    "ppt/": "a presentation. Save it as PDF and send that",
    "content.xml": "an OpenDocument file. Save it as .docx or PDF and send that",
    "OEBPS/": "an e-book. Save it as PDF or text and send that",
}


def read(data: bytes, name: str) -> Document:
    """The document in a file's bytes. Raises `Unreadable`."""
    if not data.strip():
        raise Unreadable("empty", "This file is empty.")
    if data.startswith(b"PK\x03\x04"):
        document = word.read(_word_file(data))
    elif b"%PDF-" in data[:1024]:
        document = pdf.read(data)
    else:
        for beginning, what in _OTHERS.items():
            if data.startswith(beginning):
                raise _not_taken(what)
        document = text.read(text.decoded(data), name)
    return checked(document)


def _word_file(data: bytes) -> zipfile.ZipFile:
    try:
        file = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise Unreadable("broken", "This file is damaged or incomplete.") from None
    parts = file.infolist()
    names = {part.filename for part in parts}
    if "word/document.xml" not in names:
        raise _not_taken(_office(names))
    # zipfile gives no more of a part than it declares, so the sum can be trusted.
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise Unreadable("too_large", "This file is far larger unpacked than a document can be.")
    return file


def _office(names: set[str]) -> str:
    for beginning, what in _OFFICE.items():
        if any(name.startswith(beginning) for name in names):
            return what
    return "a packed file. Unpack it and send what is in it"


def _not_taken(what: str) -> Unreadable:
    return Unreadable("unsupported", f"This is {what}. {TAKEN}")
