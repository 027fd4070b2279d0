"""A pseudoterminal on which a process runs: tests press keys and read the screen."""

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


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A pseudoterminal, 80 by 24 by default, on which `python *command` runs."""

    def __init__(self, *command: str, env: dict[str, str], columns: int = 80, lines: int = 24) -> None:
        self._master, self._slave = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self._slave)
        self._output = bytearray()
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            # The test runner may set its own width, and ignore Ctrl-C.
            env={name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")},
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while piece := os.read(self._master, 65536):
                self._output += piece
        except OSError:
            return

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the window; the kernel notifies the process."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def output(self) -> str:
        """The whole output, with escape sequences."""
        return self._output.decode(errors="replace")

    @property
    def frames(self) -> list[str]:
        """All screens, with colours; the last may be incomplete."""
        return self.output.replace("\r", "").split(_HOME)[1:]

    @property
    def screen(self) -> str:
        """The latest screen, without colours."""
        return _ESCAPES.sub("", self.frames[-1]) if self.frames else ""

    def sees(self, *words: str) -> str:
        """Wait until all the words are on the screen, and return it."""
        try:
            wait_until(lambda: all(word in self.screen for word in words), f"{words} on the screen")
        except pytest.fail.Exception as exc:
            pytest.fail(f"{exc}, which is:\n{self.screen or self.output}")
        return self.screen

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def ends(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        return self.process.wait(30)

    def is_restored(self) -> bool:
        """Return whether the modes, the first screen and the cursor are restored."""
        wait_until(lambda: "\x1b[?1049l" in self.output, "the first screen")
        shown = self.output.rindex("\x1b[?25h") > self.output.rindex("\x1b[?25l")
        return shown and termios.tcgetattr(self._slave) == self.before

    def hang_up(self) -> None:
        """Close the terminal, as a closed window does."""
        if self._master >= 0:
            os.close(self._slave)
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        self.hang_up()
