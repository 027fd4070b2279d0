"""Ends what a killed supervisor leaves behind.

Run as a script this is a process that reads `+GROUP` and `-GROUP` lines from its input. The input ends
when the supervisor does, however it ends; whatever process groups are on the list then get SIGTERM and,
if they linger, SIGKILL. It works where Linux's PR_SET_PDEATHSIG does not exist, and reaches grandchildren.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

LINGER = 3.0
"""Seconds between SIGTERM and SIGKILL."""


class Watchdog:
    """The supervisor's end: tells the watchdog which process groups to end should the supervisor vanish.

    `held` are file descriptors (of locks) that must stay open until the last group is gone.
    """

    def __init__(self, held: Iterable[int] = ()) -> None:
        self.held = tuple(held)
        self.groups: set[int] = set()
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-I", __file__]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=self.held, start_new_session=True
        )
        for group in self.groups:
            self._send(f"+{group}")

    def check(self) -> None:
        """Start another if somebody killed it."""
        if self.process.poll() is not None:
            self._start()

    def add(self, group: int) -> None:
        """End this process group, too."""
        self.groups.add(group)
        self._send(f"+{group}")

    def discard(self, group: int) -> None:
        """This group has ended; its number may be given to somebody else."""
        self.groups.discard(group)
        self._send(f"-{group}")

    def close(self) -> None:
        """End whatever is still on the list, and the watchdog."""
        self.process.stdin.close()
        self.process.wait()

    def _send(self, line: str) -> None:
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.process.wait()
            self._start()


def alive(group: int) -> bool:
    """True while the process group has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # what macOS says of a group of zombies
        return False
    return True


def end(group: int, how: signal.Signals) -> None:
    """Send a signal to every process of the group, if there is one."""
    try:
        os.killpg(group, how)
    except (ProcessLookupError, PermissionError):
        return


def watch() -> None:
    """Keep the list until the input ends, then end the groups on it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    for group in groups:
        end(group, signal.SIGTERM)
    deadline = time.monotonic() + LINGER
    while time.monotonic() < deadline and any(map(alive, groups)):
        time.sleep(0.05)
    for group in groups:
        end(group, signal.SIGKILL)


if __name__ == "__main__":
    watch()
