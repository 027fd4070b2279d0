"""One terminal for many processes: every line starts with the name of who says it."""

import os
import sys
from collections.abc import Callable
from typing import TextIO

COLORS = {"valkey": 31, "model": 35, "ear": 34, "prepare": 33, "cluster": 36, "web": 32, "buddy": 1}
WIDTH = max(map(len, COLORS))


class Console:
    """Writes labelled lines to `stream`, coloured on a terminal; `on_closed` runs once nobody reads them."""

    def __init__(self, stream: TextIO = sys.stdout, on_closed: Callable[[], None] = lambda: None) -> None:
        self.stream = stream
        self.on_closed = on_closed
        self.colored = stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str) -> None:
        """A line of the supervisor's own."""
        self.line("buddy", text)

    def line(self, name: str, text: str) -> None:
        """A line that the process `name` wrote."""
        label = f"{name:{WIDTH}} │"
        if self.colored:
            label = f"\x1b[{COLORS.get(name, 0)}m{label}\x1b[0m"
        try:
            self.stream.write(f"{label} {text}\n")
            self.stream.flush()
        except OSError:  # the terminal is gone, or the reader of the pipe
            self.on_closed()
