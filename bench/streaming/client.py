"""Readers of many answers at once. What they saw goes to stdout, a JSON object a line.

    python -m bench.streaming.client direct PORT COUNT SECONDS
    python -m bench.streaming.client sockets PORT COUNT SECONDS SESSIONS_FILE
    python -m bench.streaming.client watch PORT COUNT SECONDS SESSIONS_FILE

`direct` reads the provider itself; `sockets` asks over WebSockets and reads the deltas; `watch` asks and
only counts the positions that are pushed. `{"now": "steady"}` is said when all have begun, and
`{"now": "measured"}` some seconds later; then come the figures.
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
AT_ONCE = 40


def say(**fields: Any) -> None:
    """One line for the one who started us."""
    print(json.dumps(fields), flush=True)


class Readers:
    """What all of them saw."""

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
        """A token was read."""
        self.tokens[reader] += 1
        if self.measuring:
            self.delays.append(now - stamp)

    def ask(self) -> None:
        """A question was accepted."""
        self.asked += 1
        if self.asked == self.count:
            say(now="asked")

    def begin(self, reader: int) -> None:
        """The reader has heard something of its answer."""
        self.begun.add(reader)
        if len(self.begun) == self.count:
            self.steady.set()

    async def measure(self) -> None:
        """Say when it begins and ends."""
        await asyncio.wait_for(self.steady.wait(), 240)
        say(now="steady", over=self.over)
        self.measuring = True
        events = self.events
        await asyncio.sleep(self.seconds)
        self.measuring = False
        say(now="measured", over=self.over, events_per_second=(self.events - events) / self.seconds)

    def report(self) -> None:
        """The figures, in milliseconds."""
        delays = sorted(self.delays) or [0]
        at = {p: delays[min(len(delays) - 1, int(len(delays) * p / 100))] / 1000 for p in (50, 90, 99)}
        say(
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
    """One plain connection a stream."""

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
    """One WebSocket of a visitor of its own a stream."""
    few = asyncio.Semaphore(AT_ONCE)
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

        everybody = [asyncio.create_task(read(n)) for n in range(readers.count)]
        await readers.measure()
        if watch:
            return
        done, late = await asyncio.wait(everybody, timeout=180)
        readers.failed += [repr(t.exception()) for t in done if t.exception()]
        readers.failed += ["not over in time"] * len(late)


async def ask(ws: aiohttp.ClientWebSocketResponse, n: int) -> None:
    """The question, and the wait until it is accepted."""
    turn = {"role": "user", "content": f"Question {n}"}
    await ws.send_json(
        {"type": "chat:message", "requestId": f"r-{n}", "companion": "travel", "messages": [turn]}
    )
    while (event := await ws.receive_json())["type"] != "chat:queued":
        assert event["type"] in ("hello", "queue:pressure"), event


async def listen(readers: Readers, ws: aiohttp.ClientWebSocketResponse, n: int, *, watch: bool) -> None:
    """Everything until the answer is complete."""
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
    """See above."""
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
