"""The load: connections that are kept, each of which sends its next request after the last answer."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: Bytes of a request: the number of the request -> head and body.
Make = Callable[[int], bytes]
#: CPU seconds that the server has used until now.
Cpu = Callable[[], float]


@dataclass
class Figures:
    """What one measurement found."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    """Seconds from each request to its answer."""
    cpu: float = 0.0
    """CPU seconds of the server."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    @property
    def median(self) -> float:
        """The middle time of an answer in milliseconds."""
        return statistics.median(self.times) * 1000

    @property
    def cost(self) -> float:
        """CPU milliseconds of the server for each answer."""
        return self.cpu * 1000 / len(self.times)


def request(
    method: str, path: str, *, cookie: str = "", headers: Sequence[str] = (), body: bytes = b""
) -> bytes:
    """Return a request that keeps its connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def network(number: int) -> str:
    """Return the header of a client in its own network: jobs of one network take turns as one owner."""
    return f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" in head:
        return status, await reader.readuntil(b"\r\n0\r\n\r\n")
    length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return status, await reader.readexactly(int(length))


async def _client(
    port: int, make: Make, numbers: "Counter", figures: Figures, ends: float, status: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < ends:
        began = time.monotonic()
        writer.write(make(numbers.next()))
        found, body = await _answer(reader)
        if found != status:
            raise RuntimeError(f"answered {found}: {body[:300]!r}")
        figures.times.append(time.monotonic() - began)
    writer.close()


class Counter:
    """Numbers of requests."""

    def __init__(self) -> None:
        self._last = -1

    def next(self) -> int:
        """Return the next number."""
        self._last += 1
        return self._last


async def _measure(
    ports: Sequence[int], make: Make, cpu: Cpu, seconds: float, connections: int, status: int
) -> Figures:
    figures, numbers, began = Figures(cpu=-cpu()), Counter(), time.monotonic()
    clients = [
        _client(ports[n % len(ports)], make, numbers, figures, began + seconds, status)
        for n in range(connections)
    ]
    await asyncio.gather(*clients)
    figures.seconds = time.monotonic() - began
    figures.cpu += cpu()
    return figures


def measure(
    ports: Sequence[int], make: Make, cpu: Cpu, *, seconds: float, connections: int, status: int = 200
) -> Figures:
    """Send requests for `seconds` over `connections` connections. Raise if one has another status."""
    return asyncio.run(_measure(ports, make, cpu, seconds, connections, status))
