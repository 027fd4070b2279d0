"""MP4, and its variant with sound only (m4a)."""

import struct
from collections.abc import Iterator

from .file import AudioFile, check_sound, damaged, silent, truncated

#: Maximum bytes of a file's description; that of an hour of sound has a few hundred thousand.
_MAX_MOOV = 8 * 1024 * 1024
#: A length that is not known. The samples a second do not matter where the seconds are known.
_UNKNOWN, _ANY_RATE = 0xFFFF_FFFF, 8_000


def begins(head: bytes) -> bool:
    """Return whether the first 12 bytes claim this format."""
    return head[4:8] == b"ftyp"


def check(data: AudioFile) -> None:
    """Check the boxes up to the end: one describes a sound track, one contains the sound."""
    kinds = set()
    for kind, start, end in _boxes(data):
        kinds.add(kind)
        if kind == b"moov":
            _check_description(data.read_exactly(start, min(end - start, _MAX_MOOV)))
    if b"moov" not in kinds:
        # An unfinished recording has sound without a description; a picture has neither of them.
        raise truncated() if b"mdat" in kinds and b"meta" not in kinds else silent()
    if b"mdat" not in kinds:
        raise truncated()


def _check_description(moov: bytes) -> None:
    """Check for a sound track, and how long the file says that it lasts."""
    if b"soun" not in moov:
        raise silent()
    for name in (b"mvhd", b"mdhd"):
        start = moov.find(name) + len(name)
        head = moov[start : start + 32]
        if start < len(name) or len(head) < 32:
            continue
        form = ">12xII" if not head[0] else ">20xIQ"  # the longer one has longer times
        scale, length = struct.unpack_from(form, head)
        if scale and length not in (_UNKNOWN, _UNKNOWN << 32 | _UNKNOWN):
            check_sound(rate=_ANY_RATE, samples=length / scale * _ANY_RATE)


def _boxes(data: AudioFile) -> Iterator[tuple[bytes, int, int]]:
    offset = 0
    while offset < data.size:
        size, kind = struct.unpack(">I4s", data.read_exactly(offset, 8))
        start = offset + 8
        if size == 1:
            size, start = struct.unpack(">Q", data.read_exactly(start, 8))[0], start + 8
        end = offset + size if size else data.size  # 0 means up to the end of the file
        if end < start:
            raise damaged()
        if end > data.size:
            raise truncated()
        yield kind, start, end
        offset = end
