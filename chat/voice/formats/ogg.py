"""Ogg, whatever the sound in it is coded with."""

from .file import File, damaged, silent, truncated

_OGG_SOUND = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")


def begins(head: bytes) -> bool:
    return head[:4] == b"OggS"


def check(data: File) -> None:
    """Whole pages up to the end, more of them than the headers; a track of sound among the first."""
    offset = pages = 0
    sound = False
    while offset < data.size:
        head = data.need(offset, 27)
        if head[:4] != b"OggS":
            raise damaged()
        table = data.need(offset + 27, head[26])
        start = offset + 27 + len(table)
        if head[5] & 2:  # a track begins
            sound = sound or data.at(start, 8).startswith(_OGG_SOUND)
        offset, pages = start + sum(table), pages + 1
        if offset > data.size:
            raise truncated()
    if not sound:
        raise silent()
    if pages < 3:
        raise truncated()
