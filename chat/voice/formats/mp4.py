"""MP4, and the sound alone in it (m4a)."""

import struct
from collections.abc import Iterator

from .file import File, damaged, silent, truncated

#: Bytes of a file's description; that of an hour of sound has a few hundred thousand.
_MOST_MOOV = 8 * 1024 * 1024


def begins(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


def check(data: File) -> None:
    """Boxes up to the end; one describes a sound track, one holds the sound."""
    kinds = set()
    for kind, start, end in _boxes(data):
        kinds.add(kind)
        if kind == b"moov" and b"soun" not in data.need(start, min(end - start, _MOST_MOOV)):
            raise silent()
    if b"moov" not in kinds:
        # An unfinished recording has sound without a description; a picture has neither.
        raise truncated() if b"mdat" in kinds and b"meta" not in kinds else silent()
    if b"mdat" not in kinds:
        raise truncated()


def _boxes(data: File) -> Iterator[tuple[bytes, int, int]]:
    offset = 0
    while offset < data.size:
        size, kind = struct.unpack(">I4s", data.need(offset, 8))
        start = offset + 8
        if size == 1:
            size, start = struct.unpack(">Q", data.need(start, 8))[0], start + 8
        end = offset + size if size else data.size  # 0: up to the end of the file
        if end < start:
            raise damaged()
        if end > data.size:
            raise truncated()
        yield kind, start, end
        offset = end
