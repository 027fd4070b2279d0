"""The program's side of the proxy: one link for each service, which faults change."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any


class Links:
    """The program's side of the proxy."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "tests.chaos.proxy"]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)

    async def stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def do(self, name: str, verb: str, **more: Any) -> dict[str, Any]:
        """Send one command and return its answer."""
        async with self._lock:
            line = json.dumps({"name": name, "do": verb, **more}).encode() + b"\n"
            self._process.stdin.write(line)  # type: ignore[union-attr]
            answer: dict[str, Any] = json.loads(await self._process.stdout.readline())  # type: ignore[union-attr]
            return answer

    async def add(self, name: str, target: int) -> int:
        """Add a link to a port, and return the port of the link."""
        return int((await self.do(name, "add", target=target))["port"])

    async def aim(self, name: str, target: int) -> None:
        """Send new connections to another port. Those that are open stay."""
        await self.do(name, "aim", target=target)

    @asynccontextmanager
    async def changed(self, name: str, mode: str, **more: Any) -> AsyncIterator[None]:
        """Change a link for a while."""
        await self.do(name, mode, **more)
        try:
            yield
        finally:
            await self.do(name, "pass")
