"""A client that reads many answers at the same time and prints its figures, one JSON object on each line.

    python -m bench.streaming.client direct PORT COUNT SECONDS
    python -m bench.streaming.client sockets PORT COUNT SECONDS SESSIONS_FILE
    python -m bench.streaming.client watch PORT COUNT SECONDS SESSIONS_FILE

`direct` reads the provider directly. `sockets` sends messages over WebSockets and reads the deltas. `watch`
sends messages and only counts the position events. The client prints `{"now": "steady"}` when all answers
have started, `{"now": "measured"}` some seconds later, and then the figures.
"""

import asyncio
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

STAMP = re.compile(rb'"content": ?"(\d+) "')
#: Sockets that are opened at the same time.
CONNECTING = 40


def print_json(**fields: Any) -> None:
    """Print one line for the process that started this one."""
    print(json.dumps(fields), flush=True)


class Readers:
    """The shared counts of all readers."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds
        self.delays: list[int] = []
        self.tokens = [0] * count
        self.gaps = self.events = 0
        self.begun: set[int] = set()
        self.asked = 0
        self.over = 0
        self.failed: list[str] = []
        self.measuring = False
        self.steady = asyncio.Event()

    def token(self, reader: int, stamp: int, now: int) -> None:
        """Count a token and its delay in microseconds."""
        self.tokens[reader] += 1
        if self.measuring:
            self.delays.append(now - stamp)

    def ask(self) -> None:
        """Count an accepted message."""
        self.asked += 1
        if self.asked == self.count:
            print_json(now="asked")

    def begin(self, reader: int) -> None:
        """Record that the answer of this reader has started."""
        self.begun.add(reader)
        if len(self.begun) == self.count:
            self.steady.set()

    async def measure(self) -> None:
        """Wait until all answers have started, then measure for `seconds`."""
        await asyncio.wait_for(self.steady.wait(), 240)
        print_json(now="steady", over=self.over)
        self.measuring = True
        events, cpu = self.events, time.process_time()
        await asyncio.sleep(self.seconds)
        self.measuring = False
        print_json(
            now="measured",
            over=self.over,
            events_per_second=(self.events - events) / self.seconds,
            reader_cores=(time.process_time() - cpu) / self.seconds,
        )

    def report(self) -> None:
        """Print the figures, in milliseconds."""
        delays = sorted(self.delays) or [0]
        at = {p: delays[min(len(delays) - 1, int(len(delays) * p / 100))] / 1000 for p in (50, 90, 99)}
        print_json(
            p50=at[50],
            p90=at[90],
            p99=at[99],
            most=delays[-1] / 1000,
            measured=len(self.delays),
            tokens=[min(self.tokens), max(self.tokens)],
            gaps=self.gaps,
            failed=self.failed[:3],
        )


async def direct(readers: Readers, port: int) -> None:
    """Read each answer through a plain connection to the provider."""

    async def read(n: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}")
        while line := await reader.readline():
            if found := STAMP.search(line):
                readers.begin(n)
                readers.token(n, int(found[1]), time.monotonic_ns() // 1000)
        readers.over += 1

    await asyncio.gather(readers.measure(), *(read(n) for n in range(readers.count)))


async def sockets(readers: Readers, port: int, keys: list[str], *, watch: bool) -> None:
    """Read each answer through a WebSocket, each with its own visitor."""
    few = asyncio.Semaphore(CONNECTING)
    url = f"http://127.0.0.1:{port}/ws/"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def read(n: int) -> None:
            async with few:
                headers = {"Cookie": f"sessionid={keys[n]}", "Origin": f"http://127.0.0.1:{port}"}
                ws = await http.ws_connect(url, headers=headers, max_msg_size=0)
                await ask(ws, n)
            readers.ask()
            await listen(readers, ws, n, watch=watch)

        tasks = [asyncio.create_task(read(n)) for n in range(readers.count)]
        await readers.measure()
        if watch:
            return
        done, late = await asyncio.wait(tasks, timeout=180)
        readers.failed += [repr(t.exception()) for t in done if t.exception()]
        readers.failed += ["not finished in time"] * len(late)


async def ask(ws: aiohttp.ClientWebSocketResponse, n: int) -> None:
    """Send a message and wait until it is accepted."""
    message = {"role": "user", "content": f"Question {n}"}
    await ws.send_json(
        {"type": "chat:message", "requestId": f"r-{n}", "companion": "travel", "messages": [message]}
    )
    while (event := await ws.receive_json())["type"] != "chat:queued":
        assert event["type"] in ("hello", "queue:pressure"), event


async def listen(readers: Readers, ws: aiohttp.ClientWebSocketResponse, n: int, *, watch: bool) -> None:
    """Read events until the answer is complete."""
    length = 0
    if watch:
        readers.begin(n)
    async for frame in ws:
        now = time.monotonic_ns() // 1000
        event = json.loads(frame.data)
        kind = event["type"]
        readers.events += 1
        if kind == "chat:delta":
            readers.gaps += event["offset"] != length
            length = event["offset"] + len(event["text"])
            readers.begin(n)
            for stamp in event["text"].split():
                readers.token(n, int(stamp), now)
        elif kind == "ping":
            await ws.send_json({"type": "pong", "t": event["t"]})
        elif kind in ("chat:completed", "chat:failed"):
            readers.over += 1
            if kind == "chat:failed":
                readers.failed.append(event["error"])
            return


async def main(mode: str, port: int, count: int, seconds: float, keys: list[str]) -> None:
    """Run one mode of the client and print its figures."""
    readers = Readers(count, seconds)
    if mode == "direct":
        await direct(readers, port)
    else:
        await sockets(readers, port, keys, watch=mode == "watch")
    readers.report()


if __name__ == "__main__":
    _, mode, port, count, seconds, *rest = sys.argv
    sessions = Path(rest[0]).read_text().split() if rest else []
    asyncio.run(main(mode, int(port), int(count), float(seconds), sessions))
