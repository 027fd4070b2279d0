"""The length of a recording, estimated from its size and format. No sound is decoded."""

import struct
from typing import NamedTuple

#: Bits per second of compressed speech: what the codecs use at least, and what recorders use at least.
LEAST_BITRATE, USUAL_BITRATE = 6_000, 16_000
#: The tags of WAV formats whose samples are not compressed.
_PLAIN = (1, 3, 0xFFFE)


class Length(NamedTuple):
    """Seconds: the estimate, and the maximum for a file of this size."""

    estimated: float
    maximum: float


def length_of(size: int, media_type: str, beginning: bytes) -> Length:
    """Return the length of a recording of `size` bytes; `beginning` are its first bytes."""
    known = 0.0
    if media_type == "audio/wav":
        known = _of_wav(size, beginning)
    elif media_type == "audio/flac":
        known = _of_flac(beginning)
    if known:
        return Length(known, known)
    return Length(8 * size / USUAL_BITRATE, 8 * size / LEAST_BITRATE)


def _of_wav(size: int, beginning: bytes) -> float:
    """Return the seconds of samples that are not compressed, else 0."""
    at = beginning.find(b"fmt ") + 8
    if at < 8 or len(beginning) < at + 16:
        return 0.0
    tag, _, rate, _, frame_bytes, _ = struct.unpack_from("<HHIIHH", beginning, at)
    return size / (max(rate, 1) * max(frame_bytes, 1)) if tag in _PLAIN else 0.0


def _of_flac(beginning: bytes) -> float:
    """Return the seconds that the description of the stream names, or 0."""
    if len(beginning) < 26:
        return 0.0
    packed = int.from_bytes(
        beginning[18:26], "big"
    )  # 20 bits of rate, 8 of channels and depth, 36 of samples
    rate, samples = packed >> 44, packed & (2**36 - 1)
    return samples / rate if rate else 0.0
