"""Ogg, with sound in any codec."""

from .file import AudioFile, check_sound, damaged, silent, truncated

_SOUND_CODECS = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")
#: Samples a second that Opus counts for every recording, and the lowest rate of the other codecs.
_OPUS_RATE, _LOW_RATE = 48_000, 8_000
#: The position on a page without the end of a packet.
_NO_POSITION = (1 << 64) - 1


def begins(head: bytes) -> bool:
    """Return whether the first 12 bytes claim this format."""
    return head[:4] == b"OggS"


def check(data: AudioFile) -> None:
    """Check for complete pages up to the end, more than the headers, and a sound track."""
    offset = pages = 0
    sound, rate = False, _LOW_RATE
    while offset < data.size:
        head = data.read_exactly(offset, 27)
        if head[:4] != b"OggS":
            raise damaged()
        table = data.read_exactly(offset + 27, head[26])
        start = offset + 27 + len(table)
        if head[5] & 2:  # a track begins
            codec = data.read_up_to(start, 8)
            sound = sound or codec.startswith(_SOUND_CODECS)
            rate = _rate(codec, data.read_up_to(start, 48))
        position = int.from_bytes(head[6:14], "little")  # samples from the beginning
        if position != _NO_POSITION:
            check_sound(rate=rate, samples=position)
        offset, pages = start + sum(table), pages + 1
        if offset > data.size:
            raise truncated()
    if not sound:
        raise silent()
    if pages < 3:
        raise truncated()


def _rate(codec: bytes, head: bytes) -> int:
    """Return the samples a second of a track, which its first packet says."""
    if codec.startswith(b"\x01vorbis"):
        return int.from_bytes(head[12:16], "little")
    if codec.startswith(b"Speex"):
        return int.from_bytes(head[36:40], "little")
    return _OPUS_RATE if codec.startswith(b"OpusHead") else _LOW_RATE
