"""The processes that are measured. Their CPU time and memory are read from /proc."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """A process and its descendants, in a session of their own, so that all end together."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path, cwd: Path | None = None) -> None:
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command, env=env, cwd=cwd, stdout=output, stderr=output, start_new_session=True
            )
        self.pid = self._popen.pid
        self._log = log

    def pids(self) -> list[int]:
        """Return the ids of the process and its descendants."""
        found, left = [], [self.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                left += [int(child) for child in _read(children).split()]
        return found

    def cpu(self) -> float:
        """Return the CPU seconds so far, with those of children that have ended."""
        total = 0
        for pid in self.pids():
            if stat := _read(Path(f"/proc/{pid}/stat")):
                fields = stat.rpartition(")")[2].split()
                total += sum(int(n) for n in (fields[11:15] if pid == self.pid else fields[11:13]))
        return total / _TICK

    def pss(self) -> float:
        """Return the memory in megabytes (PSS: shared memory is divided between its users)."""
        return self._memory("Pss:")

    def private(self) -> float:
        """Return the memory in megabytes that is not shared: PSS changes when others start or end."""
        return self._memory("Private_Clean:", "Private_Dirty:")

    def _memory(self, *lines: str) -> float:
        kilobytes = 0
        for pid in self.pids():
            for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
                if line.startswith(lines):
                    kilobytes += int(line.split()[1])
        return kilobytes / 1024

    def check(self) -> None:
        """Raise `RuntimeError` with the end of the log if the process has ended."""
        if self._popen.poll() is not None:
            raise RuntimeError(f"{self._popen.args} ended:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Send SIGTERM, wait, then kill the group."""
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has just ended
        return ""


def wait_for(condition, what: str, process: Process, seconds: float = 300.0) -> None:
    """Check every 2 ms until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        process.check()
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.002)
