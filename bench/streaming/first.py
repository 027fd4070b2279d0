"""A client that asks one question after the other on an idle system, and prints when the first token came.

    python -m bench.streaming.first PROVIDER_PORT SITE_PORT COUNT SESSIONS_FILE

Each question is asked twice: of the provider itself, over a new connection, and of the site, over one
socket. The token says when the provider sent it, so the way there and the way back are known apart.
"""

import asyncio
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from .client import STAMP, print_json

#: Seconds between two questions.
PAUSE = 0.2, 0.4
#: Words of a question that the provider answers with a few tokens (provider.py).
QUESTION = "In brief: question"


def _now() -> int:
    return time.monotonic_ns() // 1000


async def ask_provider(port: int) -> dict[str, int]:
    """Return the microseconds from the request to the first token."""
    began = _now()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"messages": [{"role": "user", "content": QUESTION}]}).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    figures = {}
    while line := await reader.readline():
        if not figures and STAMP.search(line):
            figures = {"direct": _now() - began}
    writer.close()
    return figures


async def ask_site(ws: aiohttp.ClientWebSocketResponse, number: int) -> dict[str, int]:
    """Return the microseconds from the message to each event, and to the provider's first token."""
    message = {"role": "user", "content": f"{QUESTION} {number}"}
    began, figures = _now(), dict[str, int]()
    await ws.send_json(
        {"type": "chat:message", "requestId": f"f-{number}", "companion": "travel", "messages": [message]}
    )
    while True:
        event = await ws.receive_json()
        kind = event["type"].partition(":")[2]
        if kind == "delta" and "first token" not in figures:
            figures["provider"] = int(event["text"].split()[0]) - began
            figures["first token"] = _now() - began
        elif kind in ("queued", "started"):
            figures[kind] = _now() - began
        elif kind == "completed":
            return figures
        elif event["type"] == "ping":
            await ws.send_json({"type": "pong", "t": event["t"]})
        assert kind != "failed", event


async def main(provider: int, site: int, count: int, key: str) -> None:
    """Ask, and print the medians in milliseconds."""
    found: dict[str, list[int]] = {}
    headers = {"Cookie": f"sessionid={key}", "Origin": f"http://127.0.0.1:{site}"}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{site}/ws/", headers=headers) as ws,
    ):
        for number in range(count + 5):
            figures = await ask_provider(provider) | await ask_site(ws, number)
            for name, value in figures.items() if number >= 5 else ():  # the first ones load modules
                found.setdefault(name, []).append(value)
            await asyncio.sleep(random.uniform(*PAUSE))
    print_json(**{name: _summary(values) for name, values in found.items()})


def _summary(values: list[int]) -> dict[str, Any]:
    quantiles = statistics.quantiles(values, n=100)
    return {"p50": quantiles[49] / 1000, "p99": quantiles[98] / 1000}


if __name__ == "__main__":
    provider_port, site_port, questions = map(int, sys.argv[1:4])
    asyncio.run(main(provider_port, site_port, questions, Path(sys.argv[4]).read_text().split()[0]))
