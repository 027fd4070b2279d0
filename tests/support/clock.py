"""A wall clock that tests set forward and back, in this process or in all processes of a cluster.

A cluster that is started with `TEST_CLOCK=<path>` reads the offset from this file. Only the monotonic clock
is true.
"""

import mmap
import struct
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

_FORMAT = struct.Struct("d")


class WallClock:
    """The offset of a wall clock, in a file that several processes read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.step_to(0.0)

    def step_to(self, seconds: float) -> None:
        """Set the clock `seconds` before or after the true time."""
        if not self.path.exists():
            self.path.write_bytes(_FORMAT.pack(seconds))
            return
        with self.path.open("r+b") as file:  # in place: the processes have mapped the file
            file.write(_FORMAT.pack(seconds))


def follow(path: str) -> None:
    """Make this process and those it forks follow the clock at `path`."""
    with open(path, "r+b") as file:
        offset = mmap.mmap(file.fileno(), _FORMAT.size)

    def ahead() -> float:
        return float(_FORMAT.unpack(offset[: _FORMAT.size])[0])

    def shifted(clock: Callable[[], Any], unit: Callable[[float], Any]) -> Callable[[], Any]:
        return lambda: clock() + unit(ahead())

    time.time = shifted(time.time, float)
    time.time_ns = shifted(time.time_ns, lambda seconds: int(seconds * 1e9))
    timezone.now = shifted(timezone.now, lambda seconds: timedelta(seconds=seconds))
