"""Child processes of the supervisor: start, label the output, restart, and end with all descendants."""

import asyncio
import os
import signal
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from .bootstrap import Problem
from .console import Console
from .watchdog import Watchdog, end

HEALTHY = 15.0
"""Seconds. A process that ran longer is restarted without limit. A shorter run counts as a failed start."""
MAX_FAILED_STARTS = 4
"""Failed starts in a row after which everything stops."""


class Lines(asyncio.Protocol):
    """A reader of process output that passes each line to the console and keeps the last 20 lines."""

    def __init__(self, name: str, console: Console) -> None:
        self.name, self.console = name, console
        self.last: deque[str] = deque(maxlen=20)
        self.closed = asyncio.Event()
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Split the data into lines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._pass_on(line)

    def connection_lost(self, _: Exception | None) -> None:
        """Pass on the last line, also without a line end."""
        if self._rest:
            self._pass_on(self._rest)
        self.closed.set()

    def _pass_on(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.last.append(text)
        self.console.line(self.name, text)


class Process:
    """One run of a command in its own process group, which is registered with the watchdog."""

    def __init__(self, name: str, command: list[str], console: Console, watchdog: Watchdog) -> None:
        self.name, self.command, self.console, self.watchdog = name, command, console, watchdog
        self.child: asyncio.subprocess.Process | None = None

    async def start(self, env: Mapping[str, str]) -> None:
        """Start the command with the environment `env`."""
        # Not a pipe of asyncio: a grandchild may keep it open long after the child has ended.
        reader, writer = os.pipe()
        loop = asyncio.get_running_loop()
        self.lines = Lines(self.name, self.console)
        await loop.connect_read_pipe(lambda: self.lines, os.fdopen(reader, "rb", 0))
        try:
            self.child = await asyncio.create_subprocess_exec(
                *self.command,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                start_new_session=True,
            )
        finally:
            os.close(writer)
        self.watchdog.add(self.child.pid)

    async def wait(self) -> int:
        """Wait until the process and its group have ended. Return the exit code."""
        code = await self.child.wait()
        self.kill()
        self.watchdog.discard(self.child.pid)
        with suppress(TimeoutError):  # a process that left the group may still hold the pipe
            await asyncio.wait_for(self.lines.closed.wait(), 1)
        return code

    def terminate(self) -> None:
        """Send SIGTERM to the process only. The process ends its own children."""
        if self.child and self.child.returncode is None:
            self.child.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the process and its whole group."""
        if self.child:
            end(self.child.pid, signal.SIGKILL)


class SupervisedProcess:
    """A process that `stop` can end in any state. It runs once, or is kept running."""

    def __init__(self, process: Process, env: Mapping[str, str], grace: float) -> None:
        self.process, self.env, self.grace = process, env, grace
        self.stopping = asyncio.Event()
        self.ended = asyncio.Event()

    async def keep_running(self) -> None:
        """Run and restart the process until `stop`. Raise `Problem` when it keeps failing."""
        failed_starts = 0
        try:
            while not self.stopping.is_set():
                began = time.monotonic()
                code = await self._run()
                if self.stopping.is_set():
                    return
                failed_starts = 1 if time.monotonic() - began > HEALTHY else failed_starts + 1
                await self._wait_to_restart(code, failed_starts)
        finally:
            self.ended.set()

    async def run_once(self) -> int:
        """Run the process to its end. Return the exit code."""
        try:
            return await self._run()
        finally:
            self.ended.set()

    async def _run(self) -> int:
        await self.process.start(self.env)
        if self.stopping.is_set():
            self.process.terminate()
        return await self.process.wait()

    async def _wait_to_restart(self, code: int, failed_starts: int) -> None:
        name, how = self.process.name, _how(code)
        if failed_starts >= MAX_FAILED_STARTS:
            last = "".join(f"\n    {line}" for line in self.process.lines.last)
            raise Problem(f"{name} keeps failing ({how}), so everything stops. Its last lines:{last}")
        delay = 2 ** (failed_starts - 1)
        self.process.console.say(f"{name} ended ({how}). Restarting it in {delay} s.")
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), delay)

    async def stop(self) -> None:
        """Send SIGTERM, wait for the grace time, then send SIGKILL."""
        self.stopping.set()
        self.process.terminate()
        try:
            await asyncio.wait_for(self.ended.wait(), self.grace)
        except TimeoutError:
            self.process.console.say(
                f"{self.process.name} did not stop within {self.grace:.0f} s and was killed."
            )
            self.process.kill()
            await self.ended.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name
