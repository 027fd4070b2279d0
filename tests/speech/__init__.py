"""Somebody asks "Where should I go in Lisbon on a rainy day?", in four formats.

Made once, with espeak-ng and PyAV, whose codecs are the ones that browsers and phones record with:

    espeak-ng -v en-us -s 150 -w lisbon.wav "Where should I go in Lisbon on a rainy day?"

then encoded as Opus at 16 kbit/s in webm (`live=1`, as MediaRecorder writes it) and ogg, as AAC in m4a and
as mp3 at 24 kbit/s, mono.
"""

from pathlib import Path

ROOM = Path(__file__).parent
CLIPS = sorted(path for path in ROOM.glob("lisbon.*"))
WEBM = ROOM / "lisbon.webm"
#: Words that any ear should hear in it.
HEARD = ("lisbon", "rainy day")
