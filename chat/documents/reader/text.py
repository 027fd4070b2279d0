"""Plain text: what its bytes mean, and whether it is a table."""

import codecs
import csv
import io
import re

from charset_normalizer import from_bytes

from . import MAX_CHARACTERS, MAX_COLUMNS, TAKEN, Document, Unreadable, too_long

#: The longest first: one begins like the other.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
#: Bytes looked at for the encoding and the separator.
_SAMPLE = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: Control characters in a thousand from which it is no text.
_BINARY = 5
#: Latin-1 with the quotation marks that are really used: by far the most frequent.
_WESTERN = "cp1252"
#: The share of letters beyond ASCII up to which a text is Western, unless it is a language that is known.
_FEW = 0.15
_HEADING = re.compile(r"^#{1,6} \S", re.MULTILINE)
_TABLES = (".csv", ".tsv", ".tab")
_NO_TEXT = Unreadable("unsupported", f"This is no text. {TAKEN}")


def read(text: str, name: str) -> Document:
    """Plain text as a document; a table when it is called one and looks like one."""
    if len(text) > MAX_CHARACTERS * 2:  # a table may lose some on the way
        raise too_long(len(text))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(_CONTROL.findall(text)) * 1000 > len(text) * _BINARY:
        raise _NO_TEXT
    text = _CONTROL.sub("", text)
    if name.lower().endswith(_TABLES) and (table := _table(text)):
        return table
    lines = (line.rstrip() for line in text.split("\n"))  # none is dropped: places are told by line number
    kind = "md" if name.lower().endswith((".md", ".markdown")) or _HEADING.search(text) else "txt"
    return Document(kind=kind, text="\n".join(lines).rstrip())


def decoded(data: bytes) -> str:
    """The text that these bytes are."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _decoded(data, encoding)
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    if b"\x00" in data[:_SAMPLE]:  # of the older encodings none has these
        return _decoded(data, _wide(data))
    return data.decode(_older(data[:_SAMPLE]), "replace")


def _older(sample: bytes) -> str:
    """Which of the encodings that came before UTF-8."""
    matches = from_bytes(sample)
    best = matches.best()
    letters = sum(byte >= 0x80 for byte in sample) / len(sample)
    if best is None or (not best.coherence and letters < _FEW):
        return _WESTERN
    as_good = [match for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)]
    western = any(_WESTERN in match.could_be_from_charset for match in as_good)
    return _WESTERN if western else best.encoding


def _wide(data: bytes) -> str:
    """UTF-16 without its mark: in most texts every other byte is small."""
    even, odd = data[:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    if max(even, odd) < len(data[:_SAMPLE]) // 8:
        raise _NO_TEXT
    return "utf-16-le" if odd > even else "utf-16-be"


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable("broken", "This text is damaged: not all of it can be read.") from None


def _table(text: str) -> Document | None:
    """A row a line, its cells parted by bars; None when it has one column, which is no table."""
    csv.field_size_limit(MAX_CHARACTERS)
    rows: list[str] = []
    length = columns = 0
    try:
        for row in csv.reader(io.StringIO(text), _dialect(text)):
            if len(row) > MAX_COLUMNS:
                raise Unreadable(
                    "too_long", f"This table has {len(row):,} columns; {MAX_COLUMNS} is the most."
                )
            rows.append(" | ".join(" ".join(cell.split()) for cell in row))
            columns = max(columns, len(row))
            length += len(rows[-1]) + 1
            if length > MAX_CHARACTERS:
                raise too_long(length, f"more than {len(rows):,} rows")
    except csv.Error:
        return None
    if columns < 2:
        return None
    return Document(kind="csv", text="\n".join(rows).rstrip(), columns=rows[0][:300])


def _dialect(text: str) -> type[csv.Dialect]:
    class Found(csv.excel):
        delimiter = _separator(text[:_SAMPLE].split("\n")[:20])

    return Found


def _separator(lines: list[str]) -> str:
    """The one that most evenly parts the first lines; csv.Sniffer can take minutes over strange ones."""

    def evenness(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in lines if line.strip()]
        return (min(counts, default=0), -max(counts, default=0))

    return max(",;\t|", key=evenness)
