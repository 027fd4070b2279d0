"""Random access to an audio file, and the errors for files that are not valid audio."""

from typing import BinaryIO

from .. import texts

NAMES = "flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav and webm"

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
