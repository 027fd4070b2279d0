"""A child process under the supervisor's eye: started, labelled, restarted, ended with all its children."""

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
"""Seconds after which an ended process counts as an accident, not as one that cannot run."""
MOST_DEATHS = 4
"""Deaths in a row, none of them after `HEALTHY` seconds, that stop everything."""


class Lines(asyncio.Protocol):
    """Passes on what a process writes, line by line, and keeps the last ones."""

    def __init__(self, name: str, console: Console) -> None:
        self.name, self.console = name, console
        self.last: deque[str] = deque(maxlen=20)
        self.closed = asyncio.Event()
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._pass_on(line)

    def connection_lost(self, _: Exception | None) -> None:
        if self._rest:
            self._pass_on(self._rest)
        self.closed.set()

    def _pass_on(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self.last.append(text)
        self.console.line(self.name, text)


class Process:
    """One run of a command, in a process group of its own that the watchdog knows."""

    def __init__(self, name: str, command: list[str], console: Console, watchdog: Watchdog) -> None:
        self.name, self.command, self.console, self.watchdog = name, command, console, watchdog
        self.child: asyncio.subprocess.Process | None = None

    async def start(self, env: Mapping[str, str]) -> None:
        """Start it with that environment."""
        # Our own pipe, not asyncio's: grandchildren may hold it open long after the child has ended.
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
        """Its exit code, once it has ended and nothing of its group is left."""
        code = await self.child.wait()
        self.kill()
        self.watchdog.discard(self.child.pid)
        with suppress(TimeoutError):  # something that left the group may still hold the pipe
            await asyncio.wait_for(self.lines.closed.wait(), 1)
        return code

    def terminate(self) -> None:
        """Ask the process, not its children, to end; it knows how to end them."""
        if self.child and self.child.returncode is None:
            self.child.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and all its children at once."""
        if self.child:
            end(self.child.pid, signal.SIGKILL)


class Service:
    """A process that `stop` can stop in whatever state it is; mostly one that has to run all the time."""

    def __init__(self, process: Process, env: Mapping[str, str], grace: float) -> None:
        self.process, self.env, self.grace = process, env, grace
        self.stopping = asyncio.Event()
        self.ended = asyncio.Event()

    async def keep_running(self) -> None:
        """Run it, and again when it ends, until `stop`; `Problem` when it keeps ending."""
        deaths = 0
        try:
            while not self.stopping.is_set():
                began = time.monotonic()
                code = await self._run()
                if self.stopping.is_set():
                    return
                deaths = 1 if time.monotonic() - began > HEALTHY else deaths + 1
                await self._pause(code, deaths)
        finally:
            self.ended.set()

    async def run_once(self) -> int:
        """Run it to its end; its exit code."""
        try:
            return await self._run()
        finally:
            self.ended.set()

    async def _run(self) -> int:
        await self.process.start(self.env)
        if self.stopping.is_set():
            self.process.terminate()
        return await self.process.wait()

    async def _pause(self, code: int, deaths: int) -> None:
        name, how = self.process.name, _how(code)
        if deaths >= MOST_DEATHS:
            last = "".join(f"\n    {line}" for line in self.process.lines.last)
            raise Problem(f"{name} keeps ending ({how}), so everything stops. Its last lines:{last}")
        delay = 2 ** (deaths - 1)
        self.process.console.say(f"{name} ended ({how}); starting it again in {delay} s")
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), delay)

    async def stop(self) -> None:
        """Ask it to end, wait for the grace time, then insist."""
        self.stopping.set()
        self.process.terminate()
        try:
            await asyncio.wait_for(self.ended.wait(), self.grace)
        except TimeoutError:
            self.process.console.say(f"{self.process.name} did not end within {self.grace:.0f} s: killed")
            self.process.kill()
            await self.ended.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name
