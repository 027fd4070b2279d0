"""A process that ends the services of a supervisor that was killed.

Run as a script, it reads lines `+GROUP` and `-GROUP` from its input. The input ends when the supervisor
ends, in any way. All process groups that are then on the list get SIGTERM and, after a time, SIGKILL.
This also works where Linux's PR_SET_PDEATHSIG does not exist, and it reaches grandchildren.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

KILL_AFTER = 3.0
"""Seconds between SIGTERM and SIGKILL."""


class Watchdog:
    """The supervisor's side: register the process groups to end if the supervisor is killed.

    `lock_files` are file descriptors of locks. They stay open until the last group has ended.
    """

    def __init__(self, lock_files: Iterable[int] = ()) -> None:
        self.lock_files = tuple(lock_files)
        self.groups: set[int] = set()
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-I", __file__]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=self.lock_files, start_new_session=True
        )
        for group in self.groups:
            self._send(f"+{group}")

    def check(self) -> None:
        """Start a new watchdog process if the current one was killed."""
        if self.process.poll() is not None:
            self._start()

    def add(self, group: int) -> None:
        """Add a process group to the list."""
        self.groups.add(group)
        self._send(f"+{group}")

    def discard(self, group: int) -> None:
        """Remove a process group that has ended. The system may give its number to another group."""
        self.groups.discard(group)
        self._send(f"-{group}")

    def close(self) -> None:
        """End all groups that are still on the list, then the watchdog."""
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
    """Return True while the process group has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the answer of macOS for a group of zombies
        return False
    return True


def end(group: int, how: signal.Signals) -> None:
    """Send a signal to every process of the group, if there are any."""
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
    deadline = time.monotonic() + KILL_AFTER
    while time.monotonic() < deadline and any(map(alive, groups)):
        time.sleep(0.05)
    for group in groups:
        end(group, signal.SIGKILL)


if __name__ == "__main__":
    watch()
