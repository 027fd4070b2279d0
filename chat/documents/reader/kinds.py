"""Detect a file's kind by its content. Its name only distinguishes kinds of plain text."""

import io
import re
import zipfile

from . import MAX_PARTS, MAX_UNPACKED, Document, Unreadable, pdf, text, texts, validated, word

#: The first bytes of frequently sent files that cannot be read, and their kinds.
_SIGNATURES = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": texts.OLD_OFFICE,
    b"{\\rtf": texts.RICH_TEXT,
    b"\x89PNG": texts.PICTURE,
    b"\xff\xd8\xff": texts.PICTURE,
    b"GIF8": texts.PICTURE,
    b"MZ": texts.PROGRAM,
    b"\x7fELF": texts.PROGRAM,
    b"\x1f\x8b": texts.ARCHIVE,
    b"Rar!": texts.ARCHIVE,
    b"7z\xbc\xaf": texts.ARCHIVE,
}
#: The same for files that name their kind later.
_PATTERNS = {
    rb"RIFF....WEBP|....ftyp(?:hei|mif1|avi)|II\*\x00|MM\x00\*|BM....\x00{4}": texts.PICTURE,
    rb"RIFF....(?:WAVE|AVI )|....ftyp|OggS|fLaC|ID3[\x02-\x04]|\x1aE\xdf\xa3": texts.RECORDING,
}
#: The names inside zip files of other programs, and their kinds.
_ZIP_MEMBERS = {
    "xl/": texts.SPREADSHEET,
    "ppt/": texts.PRESENTATION,
    "content.xml": texts.OPEN_DOCUMENT,
    "OEBPS/": texts.E_BOOK,
}


def read(data: bytes, name: str) -> Document:
    """Return the document in a file's bytes. Raises `Unreadable`."""
    if not data.strip():
        raise Unreadable("empty", texts.EMPTY_FILE)
    if data.startswith(b"PK\x03\x04"):
        document = word.read(_word_file(data))
    elif b"%PDF-" in data[:1024]:
        document = pdf.read(data)
    else:
        for signature, kind in _SIGNATURES.items():
            if data.startswith(signature):
                raise _unsupported(kind)
        for pattern, kind in _PATTERNS.items():
            if re.match(pattern, data, re.DOTALL):
                raise _unsupported(kind)
        document = text.read(text.decoded(data), name)
    return validated(document)


def _word_file(data: bytes) -> zipfile.ZipFile:
    try:
        file = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise Unreadable("broken", texts.DAMAGED) from None
    parts = file.infolist()
    names = {part.filename for part in parts}
    if "word/document.xml" not in names:
        raise _unsupported(_zip_kind(names))
    # zipfile reads no more of a member than it declares, so the sum is reliable.
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise Unreadable("too_large", texts.UNPACKED_TOO_LARGE)
    return file


def _zip_kind(names: set[str]) -> str:
    for beginning, kind in _ZIP_MEMBERS.items():
        if any(name.startswith(beginning) for name in names):
            return kind
    return texts.ARCHIVE


def _unsupported(kind: str) -> Unreadable:
    return Unreadable("unsupported", texts.unsupported(kind))
