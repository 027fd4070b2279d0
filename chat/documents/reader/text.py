"""Read plain text and tables: detect the encoding and the separator."""

import codecs
import csv
import io
import re
from collections import Counter
from itertools import islice

from charset_normalizer import from_bytes

from . import MAX_CHARACTERS, MAX_COLUMNS, Document, Unreadable, length_error, texts

#: Byte order marks, the longest first: a shorter one can be the beginning of a longer one.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
#: Bytes that are examined for the encoding and the separator.
_SAMPLE = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: Maximum control characters per thousand characters of text.
_MAX_CONTROL = 5
#: Latin-1 with typographic quotation marks: by far the most frequent of the older encodings.
_WESTERN = "cp1252"
#: Maximum share of non-ASCII letters in Western text, unless a language is detected.
_MAX_NON_ASCII = 0.15
_HEADING = re.compile(r"^#{1,6} \S", re.MULTILINE)
#: The first line `sep=;`, also in quotes.
_DECLARATION = re.compile(r'("?)sep=(?P<separator>\\t|[^\n])\1[,;\t|]*(?:\n|\Z)', re.IGNORECASE)
_SAMPLE_ROWS = 50
_TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
_NOT_TEXT = Unreadable("unsupported", texts.unsupported(texts.NOT_TEXT))


def read(text: str, name: str) -> Document:
    """Return plain text as a document; as a table if both its name and its content are those of one.

    Raises `Unreadable`.
    """
    if len(text) > MAX_CHARACTERS * 2:  # a table may become shorter
        raise length_error(texts.characters(len(text)))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(_CONTROL.findall(text)) * 1000 > len(text) * _MAX_CONTROL:
        raise _NOT_TEXT
    text = _CONTROL.sub("", text).lstrip("\ufeff")  # programs that join files leave more than one mark
    if name.lower().endswith(_TABLE_SUFFIXES) and (table := _table(text)):
        return table
    lines = (line.rstrip() for line in text.split("\n"))  # none is dropped: locations are line numbers
    kind = "md" if name.lower().endswith((".md", ".markdown")) or _HEADING.search(text) else "txt"
    return Document(kind=kind, text="\n".join(lines).rstrip())


def decoded(data: bytes) -> str:
    """Return the text in these bytes. Raises `Unreadable`."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _decoded(data, encoding)
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    if b"\x00" in data[:_SAMPLE]:  # the older encodings have no NUL
        return _decoded(data, _utf_16(data))
    return data.decode(_older_encoding(data[:_SAMPLE]), "replace")


def _older_encoding(sample: bytes) -> str:
    """Return the most probable of the encodings that are older than UTF-8."""
    matches = from_bytes(sample)
    best = matches.best()
    non_ascii = sum(byte >= 0x80 for byte in sample) / len(sample)
    if best is None or (not best.coherence and non_ascii < _MAX_NON_ASCII):
        return _WESTERN
    equally_good = [
        match for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)
    ]
    western = any(_WESTERN in match.could_be_from_charset for match in equally_good)
    return _WESTERN if western else best.encoding


def _utf_16(data: bytes) -> str:
    """Return the byte order of UTF-16 without a mark: in most texts every second byte is zero."""
    even, odd = data[:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    if max(even, odd) < len(data[:_SAMPLE]) // 8:
        raise _NOT_TEXT
    return "utf-16-le" if odd > even else "utf-16-be"


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("broken", texts.DAMAGED_TEXT) from None


def _table(text: str) -> Document | None:
    """Return a document with one line per row and bars between cells; None for a single column."""
    csv.field_size_limit(MAX_CHARACTERS)
    text, separator = _declared(text)
    rows: list[str] = []
    heading = ""
    length = columns = 0
    try:
        for row in csv.reader(io.StringIO(text), delimiter=separator or _separator(text)):
            if len(row) > MAX_COLUMNS:
                raise Unreadable("too_long", texts.too_many_columns(len(row), MAX_COLUMNS))
            rows.append(" | ".join(" ".join(cell.split()) for cell in row))
            columns = max(columns, len(row))
            if not heading and sum(bool(cell.strip()) for cell in row) > 1:
                heading = rows[-1]  # the lines above it are a title
            length += len(rows[-1]) + 1
            if length > MAX_CHARACTERS:
                raise length_error(texts.more_rows(len(rows)))
    except csv.Error:
        return None
    if columns < 2:
        return None
    return Document(kind="csv", text="\n".join(rows).rstrip(), columns=(heading or rows[0])[:300])


def _declared(text: str) -> tuple[str, str]:
    """Return the table without the line that names its separator for Excel, and the separator or ""."""
    if not (declaration := _DECLARATION.match(text)):
        return text, ""
    separator = declaration["separator"].replace(r"\t", "\t")
    return text[declaration.end() :], "" if separator == '"' else separator


def _separator(text: str) -> str:
    """Return the separator that gives the most rows the same number of cells.

    In equal cases it is the rarest in prose and numbers. csv.Sniffer can take minutes for odd lines.
    """

    def evenness(separator: str) -> tuple[int, int]:
        rows = islice(csv.reader(io.StringIO(text[:_SAMPLE]), delimiter=separator), _SAMPLE_ROWS)
        counts = Counter(len(row) for row in rows if len(row) > 1)
        return (max(counts.values(), default=0), -len(counts))

    return max("\t|;,", key=evenness)
