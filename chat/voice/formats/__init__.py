"""Which audio format a file is in, found by its content: names and declared types prove nothing.

Each look goes through the container's own structure, so that an empty, truncated or disguised file is
told from one that merely begins well. No sound is decoded. Reads little, wherever the file is.

A module each: `begins` tells by the first 12 bytes whether a file claims to be one, `check` raises
`BrokenError` (`file.py`) where it is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO

from chat.errors import InvalidInput

from . import flac, mp3, mp4, ogg, wav, webm
from .file import NAMES, BrokenError, File

__all__ = ["BY_MEDIA_TYPE", "NAMES", "Format", "recognise"]


@dataclass(frozen=True)
class Format:
    """What a recording is, as providers want it named."""

    extension: str
    media_type: str


#: mp3 last: it is told by the least.
_FORMATS: list[tuple[Format, Callable[[bytes], bool], Callable[[File], None]]] = [
    (Format("flac", "audio/flac"), flac.begins, flac.check),
    (Format("ogg", "audio/ogg"), ogg.begins, ogg.check),
    (Format("wav", "audio/wav"), wav.begins, wav.check),
    (Format("webm", "audio/webm"), webm.begins, webm.check),
    (Format("m4a", "audio/mp4"), mp4.begins, mp4.check),
    (Format("mp3", "audio/mpeg"), mp3.begins, mp3.check),
]
BY_MEDIA_TYPE = {one.media_type: one for one, _, _ in _FORMATS}


def recognise(stream: BinaryIO) -> Format:
    """The format of the seekable `stream`, which is left at its beginning.

    Raises `InvalidInput("file", …)` with a sentence for whoever sent it.
    """
    size = stream.seek(0, SEEK_END)
    try:
        if not size:
            raise InvalidInput("file", "This file is empty.")
        data = File(stream, size)
        for found, begins, check in _FORMATS:
            if begins(data.at(0, 12)):
                check(data)
                return found
        raise InvalidInput("file", f"This is not audio that can be transcribed. {NAMES} can be.")
    except BrokenError as exc:
        raise InvalidInput("file", str(exc)) from None
    finally:
        stream.seek(0)
