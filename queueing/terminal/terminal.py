"""The terminal as a full screen that reads single keys, and is always restored at the end."""

import logging
import os
import re
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console, RenderableType
from rich.control import Control
from rich.screen import Screen

#: An escape sequence: arrows, function keys, Alt with a key; alone it is the escape key.
_SPECIAL = re.compile(r"\x1b(?:[\[O][0-9;]*[A-Za-z~]|.)?")
_NAMES = {"\x1b": "escape", "\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down"}
#: Signals that end the screen like `q`, with another exit code.
_ENDS = (signal.SIGTERM, signal.SIGHUP)


def is_terminal() -> bool:
    """Return whether input and output are a terminal that can show a full screen."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "")


class Terminal:
    """A full screen; made by `opened`."""

    def __init__(self, console: Console, wake: tuple[int, int]) -> None:
        self.console = console
        self._wake_read, self._wake_write = wake

    def draw(self, picture: RenderableType) -> None:
        """Replace the contents of the screen by `picture`; what does not fit is cut off."""
        with self.console:  # one write, so that the screen does not flicker
            self.console.control(Control.home())
            self.console.print(Screen(picture), end="")

    def wake(self) -> None:
        """Make `keys` return immediately; safe from any thread."""
        with suppress(BlockingIOError):  # the pipe is full: a wake-up is pending
            os.write(self._wake_write, b"\0")

    def keys(self, timeout: float) -> list[str]:
        """Return the keys pressed within `timeout` seconds; none after `wake` or a resize of the window.

        Raise `EOFError` when the terminal is closed.
        """
        ready, _, _ = select.select([sys.stdin, self._wake_read], [], [], timeout)
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
        if sys.stdin not in ready:
            return []
        try:
            typed = os.read(sys.stdin.fileno(), 4096)
        except OSError:
            typed = b""
        if not typed:
            raise EOFError
        return split(typed.decode(errors="ignore"))


def split(typed: str) -> list[str]:
    """Return the names of the typed keys. Unknown escape sequences are left out."""
    keys = re.findall(rf"{_SPECIAL.pattern}|.", typed)
    return [_NAMES.get(key, key) for key in keys if len(key) == 1 or key in _NAMES]


@contextmanager
def opened(console: Console) -> Iterator[Terminal]:
    """Open the terminal as a full screen, and restore it in any case.

    SIGTERM and SIGHUP raise `SystemExit`. Log lines are not shown meanwhile.
    """
    before = termios.tcgetattr(sys.stdin)
    wake = os.pipe()
    for end in wake:
        os.set_blocking(end, False)
    handlers = {number: signal.signal(number, _leave) for number in _ENDS}
    handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # a suspended screen would stay
    handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, lambda *_: None)  # interrupts `select`
    woken_before = signal.set_wakeup_fd(wake[1], warn_on_full_buffer=False)
    logging.disable()
    try:
        tty.setcbreak(sys.stdin, termios.TCSANOW)
        with _screen(console):
            yield Terminal(console, wake)
    finally:
        with suppress(termios.error, OSError):  # the terminal may be closed
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        logging.disable(logging.NOTSET)
        signal.set_wakeup_fd(woken_before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for end in wake:
            os.close(end)


@contextmanager
def _screen(console: Console) -> Iterator[None]:
    try:
        console.set_alt_screen(True)
        console.show_cursor(False)
        yield
    finally:
        with suppress(OSError):
            console.set_alt_screen(False)
            console.show_cursor(True)


def _leave(number: int, _: Any) -> None:
    raise SystemExit(128 + number)
