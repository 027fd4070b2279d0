"""Recorded speech in four formats: "Where should I go in Lisbon on a rainy day?"

The clips were made with espeak-ng and PyAV, whose codecs are those of browsers and phones:

    espeak-ng -v en-us -s 150 -w lisbon.wav "Where should I go in Lisbon on a rainy day?"

then encoded as Opus at 16 kbit/s in webm (`live=1`, as MediaRecorder writes it) and ogg, as AAC in m4a and
as mp3 at 24 kbit/s, mono.
"""

import importlib.util
import math
import struct
from pathlib import Path

ROOM = Path(__file__).parent
CLIPS = sorted(path for path in ROOM.glob("lisbon.*"))
WEBM = ROOM / "lisbon.webm"
#: Words that every speech model should recognize in them.
EXPECTED_WORDS = ("lisbon", "rainy day")


def samples() -> bytes:
    """Return the clip as 16 bit mono samples at 48 kHz; a tone where PyAV is not installed."""
    if importlib.util.find_spec("av") is None:
        return b"".join(struct.pack("<h", int(9000 * math.sin(i / 20))) for i in range(48_000))
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
    with av.open(str(WEBM)) as source:
        frames = [part for frame in source.decode(audio=0) for part in resampler.resample(frame)]
    return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)
