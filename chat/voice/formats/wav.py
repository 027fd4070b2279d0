"""RIFF with samples in it."""

import struct

from .file import File, damaged, silent, truncated


def begins(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def check(data: File) -> None:
    """A format, then samples. What is recorded as it streams says no length, or the greatest."""
    offset, described = 12, False
    while True:
        kind, size = struct.unpack("<4sI", data.need(offset, 8))
        offset += 8
        if kind == b"data":
            break
        described = described or (kind == b"fmt " and size >= 16)
        offset += size + size % 2
    if not described:
        raise damaged()
    left = data.size - offset
    if not left:
        raise truncated() if size else silent()
    if left < size < 0x7FFF_0000:
        raise truncated()
