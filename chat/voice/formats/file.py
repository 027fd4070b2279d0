"""A file that is looked at in places, and what is said to whoever sent one that is no good."""

from typing import BinaryIO

NAMES = "flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav and webm"

#: Pieces of a file that are looked at: more than the longest recording has, less than takes a second.
_MOST_LOOKS = 1_000_000


class BrokenError(Exception):
    """The file begins as a format and does not go on as one; the message is for the sender."""


class File:
    """A stream and how many bytes it has."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size
        self.looks = 0

    def at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from there."""
        self.looks += 1
        if self.looks > _MOST_LOOKS:
            raise damaged()
        self.stream.seek(offset)
        return self.stream.read(length)

    def need(self, offset: int, length: int) -> bytes:
        """Exactly so many bytes."""
        data = self.at(offset, length)
        if len(data) < length:
            raise truncated()
        return data


def truncated() -> BrokenError:
    return BrokenError("This recording is cut off: its end is missing. Please save or record it again.")


def silent() -> BrokenError:
    return BrokenError("There is no sound in this file.")


def damaged() -> BrokenError:
    return BrokenError("This file is damaged: it begins as audio and does not go on as such.")
