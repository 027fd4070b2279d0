"""Detect the audio format of a file by its content: names and declared types are not reliable.

Each check follows the container's own structure, so that an empty, truncated or disguised file is refused
although it begins correctly. No sound is decoded, and only small parts of the file are read.

There is one module for each format: `begins` returns whether the first 12 bytes are those of the format,
`check` raises `BrokenError` (`file.py`) for a file that does not continue as the format.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO

from chat.errors import InvalidInput

from .. import texts
from . import flac, mp3, mp4, ogg, wav, webm
from .file import NAMES, AudioFile, BrokenError

__all__ = ["BY_MEDIA_TYPE", "NAMES", "Format", "detect"]


@dataclass(frozen=True)
class Format:
    """An audio format, under the names that providers expect."""

    extension: str
    media_type: str


#: mp3 is last: its signature is the weakest.
_FORMATS: list[tuple[Format, Callable[[bytes], bool], Callable[[AudioFile], None]]] = [
    (Format("flac", "audio/flac"), flac.begins, flac.check),
    (Format("ogg", "audio/ogg"), ogg.begins, ogg.check),
    (Format("wav", "audio/wav"), wav.begins, wav.check),
    (Format("webm", "audio/webm"), webm.begins, webm.check),
    (Format("m4a", "audio/mp4"), mp4.begins, mp4.check),
    (Format("mp3", "audio/mpeg"), mp3.begins, mp3.check),
]
BY_MEDIA_TYPE = {audio_format.media_type: audio_format for audio_format, _, _ in _FORMATS}


def detect(stream: BinaryIO) -> Format:
    """Return the format of the seekable `stream`, which is left at its beginning.

    Raises `InvalidInput("file", …)` with a sentence for the sender.
    """
    size = stream.seek(0, SEEK_END)
    try:
        if not size:
            raise InvalidInput("file", texts.EMPTY)
        data = AudioFile(stream, size)
        for audio_format, begins, check in _FORMATS:
            if begins(data.read_up_to(0, 12)):
                check(data)
                return audio_format
        raise InvalidInput("file", texts.not_audio(NAMES))
    except BrokenError as exc:
        raise InvalidInput("file", str(exc)) from None
    finally:
        stream.seek(0)
