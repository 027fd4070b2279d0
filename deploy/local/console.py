"""The output of many processes in one terminal. Each line starts with the name of its process."""

import os
import sys
from collections.abc import Callable
from typing import TextIO

from queueing.values.cleaning import escape_unprintable

COLORS = {"valkey": 31, "model": 35, "speech": 34, "migrate": 33, "cluster": 36, "web": 32, "buddy": 1}
TAB = "\t"
WIDTH = max(map(len, COLORS))


class Console:
    """A writer of labelled lines, with colours on a terminal. `on_closed` runs when the stream is closed."""

    def __init__(self, stream: TextIO = sys.stdout, on_closed: Callable[[], None] = lambda: None) -> None:
        self.stream = stream
        self.on_closed = on_closed
        self.colored = stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str) -> None:
        """Write a line of the supervisor itself."""
        self.line("buddy", text)

    def line(self, name: str, text: str) -> None:
        """Write a line of the process `name`."""
        label = f"{name:{WIDTH}} │"
        if self.colored:
            label = f"\x1b[{COLORS.get(name, 0)}m{label}\x1b[0m"
        try:
            self.stream.write(f"{label} {escape_unprintable(text, keep=TAB)}\n")
            self.stream.flush()
        except OSError:  # the terminal or the reader of the pipe was closed
            self.on_closed()
