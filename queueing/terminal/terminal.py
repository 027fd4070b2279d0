"""The terminal while it is a screen: single keys, and as it was before whatever happens."""

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

#: A key that is not what it writes: arrows, function keys, Alt with another; alone it is escape.
_SPECIAL = re.compile(r"\x1b(?:[\[O][0-9;]*[A-Za-z~]|.)?")
_NAMES = {"\x1b": "escape", "\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down"}
#: Signals on which we leave as on `q`, but for the exit code.
_ENDS = (signal.SIGTERM, signal.SIGHUP)


def is_one() -> bool:
    """Whether there is a screen to draw on and a keyboard to read."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "")


class Terminal:
    """Draws on it, and waits for keys. Made by `opened`."""

    def __init__(self, console: Console, wake: tuple[int, int]) -> None:
        self.console = console
        self._wake_read, self._wake_write = wake

    def draw(self, picture: RenderableType) -> None:
        """Put `picture` in place of what is there; what does not fit is cut off."""
        with self.console:  # sent in one piece, so that nothing flickers
            self.console.control(Control.home())
            self.console.print(Screen(picture), end="")

    def wake(self) -> None:
        """Let `keys` return at once; for other threads."""
        with suppress(BlockingIOError):  # it is woken already
            os.write(self._wake_write, b"\0")

    def keys(self, timeout: float) -> list[str]:
        """The keys pressed within `timeout` seconds; none when woken, or the window changed its size.

        Raises `EOFError` when the terminal is gone.
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
    """The keys that were typed, however many came at once; those we have no use for are left out."""
    keys = re.findall(rf"{_SPECIAL.pattern}|.", typed)
    return [_NAMES.get(key, key) for key in keys if len(key) == 1 or key in _NAMES]


@contextmanager
def opened(console: Console) -> Iterator[Terminal]:
    """The terminal as a screen; before that and after it as it was, however this ends.

    SIGTERM and SIGHUP end it with `SystemExit`. What is logged meanwhile is not shown.
    """
    before = termios.tcgetattr(sys.stdin)
    wake = os.pipe()
    for end in wake:
        os.set_blocking(end, False)
    handlers = {number: signal.signal(number, _leave) for number in _ENDS}
    handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # it would leave all in disorder
    handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, lambda *_: None)  # so that it wakes us
    woken_before = signal.set_wakeup_fd(wake[1], warn_on_full_buffer=False)
    logging.disable()
    try:
        tty.setcbreak(sys.stdin, termios.TCSANOW)
        with _screen(console):
            yield Terminal(console, wake)
    finally:
        with suppress(termios.error, OSError):  # the terminal may be gone
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
