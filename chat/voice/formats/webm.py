"""The subset of Matroska that browsers record."""

import re

from .. import texts
from .file import NAMES, AudioFile, BrokenError, check_sound, damaged, silent, truncated

_SEGMENT, _TRACKS, _CLUSTER = 0x18538067, 0x1654AE6B, 0x1F43B675
_INFO, _SCALE, _TIMESTAMP = 0x1549A966, b"\x2a\xd7\xb1", 0xE7
#: Nanoseconds of a unit of time, and samples a second, unless the file says otherwise.
_MILLISECOND, _RATE = 1_000_000, 48_000
_SOUND = re.compile(rb"A_(OPUS|VORBIS)")


def begins(head: bytes) -> bool:
    """Return whether the first 12 bytes claim this format."""
    return head[:4] == b"\x1a\x45\xdf\xa3"


def check(data: AudioFile) -> None:
    """Check the elements up to the end for a sound track and sound.

    Browsers write segments and clusters without a length.
    """
    _, start, size = _element(data, 0)
    if size is None or not re.search(rb"\x42\x82.webm", data.read_exactly(start, min(size, 4096)), re.DOTALL):
        raise BrokenError(texts.not_webm(NAMES))
    offset, sound, clusters, unit = start + size, False, 0, _MILLISECOND
    while offset < data.size:
        kind, start, size = _element(data, offset)
        if size is not None and start + size > data.size:
            raise truncated()
        if kind in (_SEGMENT, _CLUSTER):  # entered: their elements show where they end
            clusters += kind == _CLUSTER
            offset = start
            continue
        if size is None:
            raise damaged()
        unit = _unit(data.read_exactly(start, min(size, 4096))) if kind == _INFO else unit
        if kind == _TIMESTAMP:
            _check_time(data.read_exactly(start, min(size, 8)), unit)
        sound = sound or (kind == _TRACKS and bool(_SOUND.search(data.read_exactly(start, size))))
        offset = start + size
    if not clusters:
        raise truncated()
    if not sound:
        raise silent()


def _check_time(time: bytes, unit: int) -> None:
    """Check when a cluster begins."""
    check_sound(rate=_RATE, samples=int.from_bytes(time, "big") * unit * _RATE / 1e9)


def _unit(info: bytes) -> int:
    """Return the nanoseconds of a unit of time in the clusters."""
    start = info.find(_SCALE) + len(_SCALE)
    if start < len(_SCALE) or start >= len(info):
        return _MILLISECOND
    size = info[start] & 0x0F
    return int.from_bytes(info[start + 1 : start + 1 + size], "big") or _MILLISECOND


def _element(data: AudioFile, offset: int) -> tuple[int, int, int | None]:
    """Return id, content offset and content length (None if unknown) of the EBML element at `offset`."""
    head = data.read_up_to(offset, 12)
    kind, width = _number(head, 4, keep_mark=True)
    size, size_width = _number(head[width:], 8)
    unknown = size == (1 << 7 * size_width) - 1
    return kind, offset + width + size_width, None if unknown else size


def _number(head: bytes, max_width: int, *, keep_mark: bool = False) -> tuple[int, int]:
    """Return an EBML number and its width in bytes, which its first set bit encodes."""
    if not head:
        raise truncated()
    width = 9 - head[0].bit_length()
    if width > max_width:
        raise damaged()
    if len(head) < width:
        raise truncated()
    number = int.from_bytes(head[:width], "big")
    return (number if keep_mark else number & ((1 << 7 * width) - 1)), width
