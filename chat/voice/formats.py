"""Which audio format a file is in, found by its content: names and declared types prove nothing.

Each look goes through the container's own structure, so that an empty, truncated or disguised file is
told from one that merely begins well. No sound is decoded. Reads little, wherever the file is.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO

from queueing.errors import BadSubmission

NAMES = "flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav and webm"


@dataclass(frozen=True)
class Format:
    """What a recording is, as providers want it named."""

    extension: str
    media_type: str


FLAC = Format("flac", "audio/flac")
MP3 = Format("mp3", "audio/mpeg")
MP4 = Format("m4a", "audio/mp4")
OGG = Format("ogg", "audio/ogg")
WAV = Format("wav", "audio/wav")
WEBM = Format("webm", "audio/webm")
BY_MEDIA_TYPE = {one.media_type: one for one in (FLAC, MP3, MP4, OGG, WAV, WEBM)}


#: Pieces of a file that are looked at: more than the longest recording has, less than takes a second.
_MOST_LOOKS = 1_000_000


class _BrokenError(Exception):
    """The file begins as a format and does not go on as one; the message is for the sender."""


def recognise(stream: BinaryIO) -> Format:
    """The format of the seekable `stream`, which is left at its beginning.

    Raises `BadSubmission("file", …)` with a sentence for whoever sent it.
    """
    size = stream.seek(0, SEEK_END)
    try:
        if not size:
            raise BadSubmission("file", "This file is empty.")
        data = _File(stream, size)
        for found, begins, check in _FORMATS:
            if begins(data.at(0, 12)):
                check(data)
                return found
        raise BadSubmission("file", f"This is not audio that can be transcribed. {NAMES} can be.")
    except _BrokenError as exc:
        raise BadSubmission("file", str(exc)) from None
    finally:
        stream.seek(0)


class _File:
    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size
        self.looks = 0

    def at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from there."""
        self.looks += 1
        if self.looks > _MOST_LOOKS:
            raise _damaged()
        self.stream.seek(offset)
        return self.stream.read(length)

    def need(self, offset: int, length: int) -> bytes:
        """Exactly so many bytes."""
        data = self.at(offset, length)
        if len(data) < length:
            raise _truncated()
        return data


def _truncated() -> _BrokenError:
    return _BrokenError("This recording is cut off: its end is missing. Please save or record it again.")


def _silent() -> _BrokenError:
    return _BrokenError("There is no sound in this file.")


def _damaged() -> _BrokenError:
    return _BrokenError("This file is damaged: it begins as audio and does not go on as such.")


# --- flac -----------------------------------------------------------------------------------------


def _check_flac(data: _File) -> None:
    """The stream's description (34 bytes, the first block), the other blocks, then a frame."""
    head = data.need(4, 4)
    if head[0] & 0x7F or head[1:] != b"\0\0\x22":
        raise _damaged()
    offset, last = 4, False
    while not last:
        head = data.need(offset, 4)
        last = bool(head[0] & 0x80)
        offset += 4 + int.from_bytes(head[1:], "big")
    if offset >= data.size:
        raise _truncated()
    if data.need(offset, 2)[0] != 0xFF:
        raise _damaged()


# --- mp3 ------------------------------------------------------------------------------------------

_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
#: Frames in a row that no other file has by chance.
_ENOUGH = 3


def _is_mp3(head: bytes) -> bool:
    return head[:3] == b"ID3" or _frame_length(head[:4]) is not None


def _check_mp3(data: _File) -> None:
    """Tags, perhaps, then frames that follow one another."""
    offset = 0
    while data.at(offset, 3) == b"ID3":
        tag = data.need(offset, 10)
        size = tag[6:]
        offset += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    padding = data.at(offset, 4096)
    offset += len(padding) - len(padding.lstrip(b"\0"))
    if offset >= data.size:
        raise _truncated()
    for _ in range(_ENOUGH):
        length = _frame_length(data.at(offset, 4))
        if length is None:
            raise _damaged()
        offset += length
        if offset > data.size:
            raise _truncated()
        if offset == data.size:
            return


def _frame_length(head: bytes) -> int | None:
    """Bytes of the MPEG audio frame that begins so; None when none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = (head[1] >> 3) & 3, 4 - ((head[1] >> 1) & 3)
    bitrate, rate, padding = head[2] >> 4, (head[2] >> 2) & 3, (head[2] >> 1) & 1
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    kilobits = _BITRATES[1 if version == 3 else 2, layer][bitrate - 1]
    hertz = _RATES[version][rate]
    if layer == 1:
        return (12 * kilobits * 1000 // hertz + padding) * 4
    samples = 72 if layer == 3 and version != 3 else 144
    return samples * kilobits * 1000 // hertz + padding


# --- mp4, m4a -------------------------------------------------------------------------------------

#: Bytes of a file's description; that of an hour of sound has a few hundred thousand.
_MOST_MOOV = 8 * 1024 * 1024


def _check_mp4(data: _File) -> None:
    """Boxes up to the end; one describes a sound track, one holds the sound."""
    kinds = set()
    for kind, start, end in _boxes(data):
        kinds.add(kind)
        if kind == b"moov" and b"soun" not in data.need(start, min(end - start, _MOST_MOOV)):
            raise _silent()
    if b"moov" not in kinds:
        # An unfinished recording has sound without a description; a picture has neither.
        raise _truncated() if b"mdat" in kinds and b"meta" not in kinds else _silent()
    if b"mdat" not in kinds:
        raise _truncated()


def _boxes(data: _File) -> Iterator[tuple[bytes, int, int]]:
    offset = 0
    while offset < data.size:
        size, kind = struct.unpack(">I4s", data.need(offset, 8))
        start = offset + 8
        if size == 1:
            size, start = struct.unpack(">Q", data.need(start, 8))[0], start + 8
        end = offset + size if size else data.size  # 0: up to the end of the file
        if end < start:
            raise _damaged()
        if end > data.size:
            raise _truncated()
        yield kind, start, end
        offset = end


# --- ogg ------------------------------------------------------------------------------------------

_OGG_SOUND = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")


def _check_ogg(data: _File) -> None:
    """Whole pages up to the end, more of them than the headers; a track of sound among the first."""
    offset = pages = 0
    sound = False
    while offset < data.size:
        head = data.need(offset, 27)
        if head[:4] != b"OggS":
            raise _damaged()
        table = data.need(offset + 27, head[26])
        start = offset + 27 + len(table)
        if head[5] & 2:  # a track begins
            sound = sound or data.at(start, 8).startswith(_OGG_SOUND)
        offset, pages = start + sum(table), pages + 1
        if offset > data.size:
            raise _truncated()
    if not sound:
        raise _silent()
    if pages < 3:
        raise _truncated()


# --- wav ------------------------------------------------------------------------------------------


def _check_wav(data: _File) -> None:
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
        raise _damaged()
    left = data.size - offset
    if not left:
        raise _truncated() if size else _silent()
    if left < size < 0x7FFF_0000:
        raise _truncated()


# --- webm -----------------------------------------------------------------------------------------

_SEGMENT, _TRACKS, _CLUSTER = 0x18538067, 0x1654AE6B, 0x1F43B675
_SOUND = re.compile(rb"A_(OPUS|VORBIS)")


def _check_webm(data: _File) -> None:
    """Elements up to the end; a track of sound, and sound. Browsers write it without lengths of wholes."""
    _, start, size = _element(data, 0)
    if size is None or not re.search(rb"\x42\x82.webm", data.need(start, min(size, 4096)), re.DOTALL):
        raise BadSubmission("file", f"This is Matroska, but not webm. {NAMES} can be transcribed.")
    offset, sound, clusters = start + size, False, 0
    while offset < data.size:
        kind, start, size = _element(data, offset)
        if size is not None and start + size > data.size:
            raise _truncated()
        if kind in (_SEGMENT, _CLUSTER):  # gone into: what is in them shows where they end
            clusters += kind == _CLUSTER
            offset = start
            continue
        if size is None:
            raise _damaged()
        if kind == _TRACKS:
            sound = sound or bool(_SOUND.search(data.need(start, size)))
        offset = start + size
    if not clusters:
        raise _truncated()
    if not sound:
        raise _silent()


def _element(data: _File, offset: int) -> tuple[int, int, int | None]:
    """(id, where its content starts, how many bytes it has or None) of the EBML element there."""
    head = data.at(offset, 12)
    kind, width = _number(head, 4, keep_mark=True)
    size, more = _number(head[width:], 8)
    unknown = size == (1 << 7 * more) - 1
    return kind, offset + width + more, None if unknown else size


def _number(head: bytes, most: int, *, keep_mark: bool = False) -> tuple[int, int]:
    """EBML's number, whose first set bit says how many bytes it has; and how many those are."""
    if not head:
        raise _truncated()
    width = 9 - head[0].bit_length()
    if width > most:
        raise _damaged()
    if len(head) < width:
        raise _truncated()
    number = int.from_bytes(head[:width], "big")
    return (number if keep_mark else number & ((1 << 7 * width) - 1)), width


_FORMATS: list[tuple[Format, Callable[[bytes], bool], Callable[[_File], None]]] = [
    (FLAC, lambda head: head[:4] == b"fLaC", _check_flac),
    (OGG, lambda head: head[:4] == b"OggS", _check_ogg),
    (WAV, lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE", _check_wav),
    (WEBM, lambda head: head[:4] == b"\x1a\x45\xdf\xa3", _check_webm),
    (MP4, lambda head: head[4:8] == b"ftyp", _check_mp4),
    (MP3, _is_mp3, _check_mp3),
]
