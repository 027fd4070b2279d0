"""`python -m deploy.local.audio_decoder < RECORDING` writes the sound of a recording to stdout.

It has 16,000 samples a second, 16 bits, one channel. The process limits its own memory and time first, and
checks rate and duration before it makes samples: a small file can stand for gigabytes of them.
"""

import contextlib
import io
import resource
import sys
from collections.abc import Iterator
from typing import Any

RATE = 16_000
MAX_SECONDS = 15 * 60
#: Samples a second of all recorders.
_RATES = range(4_000, 384_001)
#: Seconds of CPU time, bytes of memory.
CPU, MEMORY = 30, 1024**3
#: Exit codes.
UNREADABLE, TOO_LONG = 3, 4


class RefusedError(Exception):
    """The recording has no sound that can be used; `code` is the exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def decode(data: bytes) -> Iterator[bytes]:
    """Yield the samples of a recording. Raises `RefusedError`, and errors of PyAV."""
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(io.BytesIO(data), metadata_errors="ignore") as source:
        for frame in _frames(source):
            yield from map(_samples, resampler.resample(frame))
    yield from map(_samples, resampler.resample(None))


def _frames(source: Any) -> Iterator[Any]:
    """Yield the frames; those that are damaged are skipped, as players do."""
    import av

    seconds = 0.0
    for packet in source.demux(audio=0):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            if frame.sample_rate not in _RATES:
                raise RefusedError(UNREADABLE, f"it has {frame.sample_rate} samples a second")
            seconds += frame.samples / frame.sample_rate
            if seconds > MAX_SECONDS:
                raise RefusedError(TOO_LONG, f"it is longer than {MAX_SECONDS} seconds")
            yield frame


def _samples(frame: Any) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * 2]


def _limit_resources() -> None:
    limits = {resource.RLIMIT_CPU: CPU, resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CORE: 0}
    for kind, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS does not support all of them
            resource.setrlimit(kind, (limit, limit))


def main() -> int:
    """Decode stdin to stdout; return the exit code, with the reason on stderr."""
    _limit_resources()
    try:
        for samples in decode(sys.stdin.buffer.read()):
            sys.stdout.buffer.write(samples)
    except RefusedError as exc:
        print(exc, file=sys.stderr)
        return exc.code
    except Exception as exc:  # the errors of av have many base classes
        print(exc, file=sys.stderr)
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
