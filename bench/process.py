"""Processes being measured: their CPU time and memory, read from /proc."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """A process and everything under it. Kept in a session of its own, so that it ends as a whole."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path, cwd: Path | None = None) -> None:
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command, env=env, cwd=cwd, stdout=output, stderr=output, start_new_session=True
            )
        self.pid = self._popen.pid
        self._log = log

    def pids(self) -> list[int]:
        """It and its descendants."""
        found, left = [], [self.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                left += [int(child) for child in _read(children).split()]
        return found

    def cpu(self) -> float:
        """CPU seconds so far, of children that have ended, too."""
        total = 0
        for pid in self.pids():
            if stat := _read(Path(f"/proc/{pid}/stat")):
                fields = stat.rpartition(")")[2].split()
                total += sum(int(n) for n in (fields[11:15] if pid == self.pid else fields[11:13]))
        return total / _TICK

    def pss(self) -> float:
        """Megabytes, what is shared divided among its sharers."""
        kilobytes = 0
        for pid in self.pids():
            for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
        return kilobytes / 1024

    def check(self) -> None:
        """Raise with its last words if it has ended."""
        if self._popen.poll() is not None:
            raise RuntimeError(f"{self._popen.args} ended:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Ask, wait, then make sure."""
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has just ended
        return ""


def wait_for(condition, what: str, process: Process, seconds: float = 300.0) -> None:
    """Look every 2 ms until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        process.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.002)
