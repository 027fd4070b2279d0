"""The program's side of the provider process."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.chaos.system.services import ROOT
from tests.support.valkey import free_port


class Provider:
    """The provider of the model, in a process of its own."""

    def __init__(self, log: Path, seed: int) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tests.chaos.provider", str(self.port), str(seed)]
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)

    async def _call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        request.add_header("Content-Type", "application/json")

        def call() -> Any:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        return await asyncio.to_thread(call)

    @asynccontextmanager
    async def mood(self, name: str) -> AsyncIterator[None]:
        """Let it answer in another way for a while."""
        await self._call("/_mood", {"mood": name})
        try:
            yield
        finally:
            await self._call("/_mood", {"mood": "well"})

    async def calls(self) -> list[dict[str, Any]]:
        """Return all calls so far."""
        found: list[dict[str, Any]] = await self._call("/_calls")
        return found

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
