"""Our own processes, kept running as a service manager does."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
#: Seconds between the end of a process and its restart.
RESTART_AFTER = 0.5
#: Seconds that a process has to start, on a busy computer.
START_TIMEOUT = 60.0
#: Seconds that a process has to end after SIGTERM.
STOP_TIMEOUT = 60.0


@dataclass(frozen=True)
class Sample:
    """The size of one process at one moment."""

    process: str
    """Its name and pid."""
    at: float
    megabytes: float
    files: int


@dataclass
class Service:
    """A process that is started again whenever it ends."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    port: int = 0
    """Where it listens; 0 for a cluster."""
    instances: int = 0
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    expected_end: bool = False
    """True when the program itself ended the process."""
    crashes: list[str] = field(default_factory=list)
    """The ends that the program did not cause."""
    restarting: asyncio.Lock = field(default_factory=asyncio.Lock)
    pauses: list[tuple[str, float, float]] = field(default_factory=list)
    """(instance, from, until): when it, or a part of it, was suspended."""

    @property
    def instance(self) -> str:
        """The name of the process that runs now: a new one has a new name."""
        return f"{self.name}.{self.instances}"

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self) -> None:
        self.instances += 1
        self.wanted, self.expected_end = True, False
        env = self.env | {"OPENAI_API_KEY": f"sk-{self.instance}"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=env, stdout=log, stderr=log)

    async def watch(self) -> None:
        """Start the process again whenever it has ended."""
        while True:
            await asyncio.sleep(0.2)
            if not self.wanted or not self.process or (code := self.process.poll()) is None:
                continue
            if not self.expected_end:
                self.crashes.append(f"{self.instance} ended with {code}")
            await asyncio.sleep(RESTART_AFTER)
            if self.wanted and self.process.poll() is not None:
                self.start()

    async def restart(self, **env: str) -> None:
        """End it with SIGTERM and start it again, perhaps with other variables."""
        async with self.restarting:  # two faults at once would start two, of which one is never stopped
            await self.stop()
            self.env = self.env | env
            self.start()

    async def started(self) -> None:
        """Wait until it works: a web process listens, a cluster has workers."""
        async with asyncio.timeout(START_TIMEOUT):
            while not (self._listens() if self.port else self.workers()):
                await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    async def stop(self) -> None:
        self.wanted = False
        process = self.process
        if not process or process.poll() is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(asyncio.to_thread(process.wait), STOP_TIMEOUT)
        except TimeoutError:
            self.crashes.append(f"{self.instance} did not stop within {STOP_TIMEOUT:g} s of SIGTERM")
            process.send_signal(signal.SIGUSR1)  # what its threads do is then in its log
            await asyncio.sleep(1.0)
            self.kill(restart=False)
            await asyncio.to_thread(process.wait)

    def kill(self, *, restart: bool = True) -> None:
        self.wanted, self.expected_end = restart, True
        if self.process:
            self.process.kill()

    @asynccontextmanager
    async def suspended(self, pid: int = 0) -> AsyncIterator[None]:
        """Suspend the process, or another one that belongs to it, for a while."""
        pid, instance, began = pid or self.pid, self.instance, time.time()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            self.pauses.append((instance, began, time.time()))

    def workers(self) -> list[int]:
        """Return the pids of its children."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def samples(self) -> list[Sample]:
        """Return the memory and open files of the process and its children."""
        found = []
        for pid in [self.pid, *self.workers()]:
            with suppress(OSError):
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                files = len(os.listdir(f"/proc/{pid}/fd"))
                found.append(Sample(f"{self.instance}/{pid}", time.time(), pages * 4096 / 1e6, files))
        return found
