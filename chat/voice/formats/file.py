"""Random access to an audio file, and the errors for files that are not valid audio."""

from typing import BinaryIO

from .. import texts

NAMES = "flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav and webm"

#: Maximum hours of a recording: more than people speak, less than exhausts the memory of a decoder.
MAX_HOURS = 2
#: Samples a second, and channels, of all recorders.
_RATES, _MAX_CHANNELS = range(4_000, 384_001), 8

#: Maximum reads of one file: more than the longest recording needs, and less than a second of work.
_MAX_READS = 1_000_000


class BrokenError(Exception):
    """The file begins as a format but does not continue as one; the message is for the sender."""


class AudioFile:
    """A stream with its size in bytes."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size
        self.reads = 0

    def read_up_to(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`. Raises `BrokenError` after too many reads."""
        self.reads += 1
        if self.reads > _MAX_READS:
            raise damaged()
        self.stream.seek(offset)
        return self.stream.read(length)

    def read_exactly(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`. Raises `BrokenError` if the file ends before."""
        data = self.read_up_to(offset, length)
        if len(data) < length:
            raise truncated()
        return data


def truncated() -> BrokenError:
    """Return the error for a file whose end is missing."""
    return BrokenError(texts.TRUNCATED)


def silent() -> BrokenError:
    """Return the error for a file without a sound track."""
    return BrokenError(texts.SILENT)


def damaged() -> BrokenError:
    """Return the error for a file whose structure is invalid."""
    return BrokenError(texts.DAMAGED)


def check_sound(*, rate: float, channels: int = 1, samples: float = 0) -> None:
    """Raise `BrokenError` for sound that no decoder should get.

    `rate` is the number of samples a second. A file of a few kilobytes with a tiny rate lasts for hours: as
    samples of the usual rate it takes gigabytes.
    """
    if not (_RATES.start <= rate < _RATES.stop and 0 < channels <= _MAX_CHANNELS):
        raise BrokenError(texts.ODD_RATE)
    if samples / rate > MAX_HOURS * 3600:
        raise BrokenError(texts.too_long(MAX_HOURS))
