"""Free Lossless Audio Codec, without a container."""

from .file import AudioFile, check_sound, damaged, truncated


def begins(head: bytes) -> bool:
    """Return whether the first 12 bytes claim this format."""
    return head[:4] == b"fLaC"


def check(data: AudioFile) -> None:
    """Check the stream's description (34 bytes, the first block), the other blocks, then a frame."""
    head = data.read_exactly(4, 4)
    if head[0] & 0x7F or head[1:] != b"\0\0\x22":
        raise damaged()
    about = int.from_bytes(data.read_exactly(18, 8), "big")  # 20 bits rate, 3 channels, 5 depth, 36 samples
    check_sound(rate=about >> 44, channels=(about >> 41 & 7) + 1, samples=about & (1 << 36) - 1)
    offset, last = 4, False
    while not last:
        head = data.read_exactly(offset, 4)
        last = bool(head[0] & 0x80)
        offset += 4 + int.from_bytes(head[1:], "big")
    if offset >= data.size:
        raise truncated()
    if data.read_exactly(offset, 2)[0] != 0xFF:
        raise damaged()
