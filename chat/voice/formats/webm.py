"""The part of Matroska that browsers record."""

import re

from .file import NAMES, BrokenError, File, damaged, silent, truncated

_SEGMENT, _TRACKS, _CLUSTER = 0x18538067, 0x1654AE6B, 0x1F43B675
_SOUND = re.compile(rb"A_(OPUS|VORBIS)")


def begins(head: bytes) -> bool:
    return head[:4] == b"\x1a\x45\xdf\xa3"


def check(data: File) -> None:
    """Elements up to the end; a track of sound, and sound. Browsers write it without lengths of wholes."""
    _, start, size = _element(data, 0)
    if size is None or not re.search(rb"\x42\x82.webm", data.need(start, min(size, 4096)), re.DOTALL):
        raise BrokenError(f"This is Matroska, but not webm. {NAMES} can be transcribed.")
    offset, sound, clusters = start + size, False, 0
    while offset < data.size:
        kind, start, size = _element(data, offset)
        if size is not None and start + size > data.size:
            raise truncated()
        if kind in (_SEGMENT, _CLUSTER):  # gone into: what is in them shows where they end
            clusters += kind == _CLUSTER
            offset = start
            continue
        if size is None:
            raise damaged()
        if kind == _TRACKS:
            sound = sound or bool(_SOUND.search(data.need(start, size)))
        offset = start + size
    if not clusters:
        raise truncated()
    if not sound:
        raise silent()


def _element(data: File, offset: int) -> tuple[int, int, int | None]:
    """(id, where its content starts, how many bytes it has or None) of the EBML element there."""
    head = data.at(offset, 12)
    kind, width = _number(head, 4, keep_mark=True)
    size, more = _number(head[width:], 8)
    unknown = size == (1 << 7 * more) - 1
    return kind, offset + width + more, None if unknown else size


def _number(head: bytes, most: int, *, keep_mark: bool = False) -> tuple[int, int]:
    """EBML's number, whose first set bit says how many bytes it has; and how many those are."""
    if not head:
        raise truncated()
    width = 9 - head[0].bit_length()
    if width > most:
        raise damaged()
    if len(head) < width:
        raise truncated()
    number = int.from_bytes(head[:width], "big")
    return (number if keep_mark else number & ((1 << 7 * width) - 1)), width
