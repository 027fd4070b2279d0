"""MPEG audio: frames without a container, after optional tags."""

from .file import AudioFile, check_sound, damaged, truncated

_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LOW_RATE = 8_000
#: Consecutive frames that no other file has by chance.
_MIN_FRAMES = 3


def begins(head: bytes) -> bool:
    """Return whether the first 12 bytes claim this format."""
    return head[:3] == b"ID3" or _frame_length(head[:4]) is not None


def check(data: AudioFile) -> None:
    """Check optional tags, then consecutive frames."""
    offset = 0
    while data.read_up_to(offset, 3) == b"ID3":
        tag = data.read_exactly(offset, 10)
        size = tag[6:]
        offset += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    padding = data.read_up_to(offset, 4096)
    offset += len(padding) - len(padding.lstrip(b"\0"))
    if offset >= data.size:
        raise truncated()
    frames, seconds = 0, 0.0
    while offset < data.size:
        head = data.read_up_to(offset, 4)
        length = _frame_length(head)
        if frames >= _MIN_FRAMES and (length is None or offset + length > data.size):
            return  # tags, or a last frame that is not complete
        if length is None:
            raise damaged()
        offset += length
        if offset > data.size:
            raise truncated()
        frames, seconds = frames + 1, seconds + _seconds(head)
        check_sound(rate=_LOW_RATE, samples=seconds * _LOW_RATE)


def _seconds(head: bytes) -> float:
    """Return how long the frame with this header lasts."""
    version, layer = (head[1] >> 3) & 3, 4 - ((head[1] >> 1) & 3)
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    return samples / _RATES[version][(head[2] >> 2) & 3]


def _frame_length(head: bytes) -> int | None:
    """Return the bytes of the MPEG audio frame with this header; None for another header."""
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
