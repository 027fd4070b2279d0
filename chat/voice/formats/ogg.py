"""Ogg, with sound in any codec."""

from .file import AudioFile, damaged, silent, truncated

_SOUND_CODECS = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")


def begins(head: bytes) -> bool:
    """Return whether the first 12 bytes claim this format."""
    return head[:4] == b"OggS"


def check(data: AudioFile) -> None:
    """Check for complete pages up to the end, more than the headers, and a sound track."""
    offset = pages = 0
    sound = False
    while offset < data.size:
        head = data.read_exactly(offset, 27)
        if head[:4] != b"OggS":
            raise damaged()
        table = data.read_exactly(offset + 27, head[26])
        start = offset + 27 + len(table)
        if head[5] & 2:  # a track begins
            sound = sound or data.read_up_to(start, 8).startswith(_SOUND_CODECS)
        offset, pages = start + sum(table), pages + 1
        if offset > data.size:
            raise truncated()
    if not sound:
        raise silent()
    if pages < 3:
        raise truncated()
