"""A pseudoterminal with a process on it, that one can type on and look at."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading

import pytest

from tests.support.cluster import ROOT
from tests.support.valkey import wait_until

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HOME = "\x1b[H"


def _take_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A pseudoterminal, 80 by 24 unless told otherwise, on which `python *command` runs."""

    def __init__(self, *command: str, env: dict[str, str], columns: int = 80, lines: int = 24) -> None:
        self._master, self._slave = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self._slave)
        self._said = bytearray()
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            # What runs the tests may say how wide its own output is, and be deaf to Ctrl-C.
            env={name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")},
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            preexec_fn=_take_the_terminal,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while piece := os.read(self._master, 65536):
                self._said += piece
        except OSError:
            return

    def resize(self, columns: int, lines: int) -> None:
        """The window gets another size; the kernel tells the process."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def said(self) -> str:
        """All that was written, with its escapes."""
        return self._said.decode(errors="replace")

    @property
    def frames(self) -> list[str]:
        """Each screen that was drawn, with its colours; the last may not be whole."""
        return self.said.replace("\r", "").split(_HOME)[1:]

    @property
    def screen(self) -> str:
        """The latest, without colours."""
        return _ESCAPES.sub("", self.frames[-1]) if self.frames else ""

    def sees(self, *words: str) -> str:
        """Wait until all the words are on the screen, and return it."""
        try:
            wait_until(lambda: all(word in self.screen for word in words), f"{words} on the screen")
        except pytest.fail.Exception as exc:
            pytest.fail(f"{exc}, which is:\n{self.screen or self.said}")
        return self.screen

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def ends(self) -> int:
        """Wait for the end; its exit code."""
        return self.process.wait(30)

    def is_as_before(self) -> bool:
        """Whether the terminal is in order: its modes, the first screen, the cursor."""
        wait_until(lambda: "\x1b[?1049l" in self.said, "the first screen")
        shown = self.said.rindex("\x1b[?25h") > self.said.rindex("\x1b[?25l")
        return shown and termios.tcgetattr(self._slave) == self.before

    def hang_up(self) -> None:
        """The window is closed, or the network gone."""
        if self._master >= 0:
            os.close(self._slave)
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        """Kill what is left."""
        self.process.kill()
        self.process.wait()
        self.hang_up()
