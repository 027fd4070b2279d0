"""Python imports this module at its start: it adds the number in the file CHAOS_CLOCK to the wall clock.

Only `time.time`, `time.time_ns` and (in `project/settings.py`) Django's `now` are stepped: all that this
project reads. The monotonic clock is not.
"""

import mmap
import os
import struct
import time

if path := os.environ.get("CHAOS_CLOCK"):
    with open(path, "rb") as file:
        _memory = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    _time, _time_ns = time.time, time.time_ns

    def _offset() -> float:
        return float(struct.unpack("<d", _memory[:8])[0])

    time.time = lambda: _time() + _offset()
    time.time_ns = lambda: _time_ns() + int(_offset() * 1e9)
