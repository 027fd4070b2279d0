"""RIFF with samples."""

import struct

from .file import AudioFile, check_sound, damaged, silent, truncated


def begins(head: bytes) -> bool:
    """Return whether the first 12 bytes claim this format."""
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def check(data: AudioFile) -> None:
    """Check for a format, then samples. A streamed recording declares the length 0 or the maximum."""
    offset, frame = 12, 0
    while True:
        kind, size = struct.unpack("<4sI", data.read_exactly(offset, 8))
        offset += 8
        if kind == b"data":
            break
        if kind == b"fmt " and size >= 16:
            _, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", data.read_exactly(offset, 16))
            check_sound(rate=rate, channels=channels)
            frame = min(frame, max(1, channels * bits // 8))  # the smaller one is the longer recording
        offset += size + size % 2
    if not frame:
        raise damaged()
    available = data.size - offset
    if not available:
        raise truncated() if size else silent()
    if available < size < 0x7FFF_0000:
        raise truncated()
    check_sound(rate=rate, samples=available / frame)
