"""A TCP proxy between our processes and the services they use, in a process of its own.

`python -m tests.chaos.proxy` reads one command a line (JSON) and answers each with a line; the other side
is `system/links.py`.
"""

import asyncio
import json
import socket
import struct
import sys
from contextlib import suppress
from typing import Any


class Link:
    """One listening port and the port behind it."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay = 0.0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._frozen: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Accept connections, on the same port as before."""
        if not self._server:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse new connections, and reset those that are open."""
        if self._server:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Reset all open connections."""
        for writer in [*self._open, *self._frozen]:
            reset(writer)

    def freeze(self, reset_after: float = 0.0) -> None:
        """Forward nothing more on the open connections, without closing them.

        The service sees their end, so that it does not count calls that no one waits for. With
        `reset_after`, the client's kernel finds out after these seconds, as from keep-alive probes.
        """
        frozen = {writer for writer in self._open if writer.get_extra_info("side") != "service"}
        self._frozen |= frozen
        for writer in self._open - frozen:
            writer.transport.abort()
        if reset_after:
            asyncio.get_running_loop().call_later(reset_after, lambda: [reset(writer) for writer in frozen])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return reset(writer)
        far_writer.transport._extra["side"] = "service"  # type: ignore[attr-defined]
        self._open |= {writer, far_writer}
        pumps = [self._pump(reader, far_writer, writer), self._pump(far_reader, writer, writer)]
        await asyncio.gather(*pumps)
        self._open -= {writer, far_writer}
        self._frozen.discard(writer)
        for one in (writer, far_writer):
            one.close()
        return None

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, near: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if near in self._frozen:
                    break
                writer.write(data)
                await writer.drain()
        while near in self._frozen and not near.transport.is_closing():
            await asyncio.sleep(0.5)
        with suppress(OSError):
            writer.write_eof() if writer.can_write_eof() else writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST instead of FIN."""
    with suppress(OSError):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Proxy:
    """All links of a run, and the commands."""

    def __init__(self) -> None:
        self._links: dict[str, list[Link]] = {}

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command; return its answer."""
        links = self._links.setdefault(command["name"], [])
        match command["do"]:
            case "add":
                links.append(Link(command["target"]))
                await links[-1].listen()
                return {"port": links[-1].port}
            case "aim":
                links[0].target = command["target"]
            case "pass":
                for link in links:
                    link.delay = command.get("delay", 0.0)
                    await link.listen()
            case "freeze":
                for link in links:
                    link.freeze(command.get("reset_after", 0.0))
            case "refuse" | "cut" as verb:
                for link in links:
                    getattr(link, verb)()
        return {}


async def main() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    proxy = Proxy()
    while line := await reader.readline():
        print(json.dumps(await proxy.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
