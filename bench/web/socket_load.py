"""The load of sockets: each sends its next message after its last one was answered."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from itertools import cycle

import aiohttp

from .load import Figures


def measure_sockets(ports: Sequence[int], cookies: Sequence[str], *, seconds: float, answer: str) -> Figures:
    """Send messages for `seconds` over one socket for each cookie; `answer` is the type of what answers."""
    return asyncio.run(_measure(ports, cookies, seconds, answer))


async def _measure(ports: Sequence[int], cookies: Sequence[str], seconds: float, answer: str) -> Figures:
    figures = Figures()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        sites = [f"http://127.0.0.1:{port}" for port in ports]
        sockets = [
            await http.ws_connect(site + "/ws/", headers={"Cookie": cookie, "Origin": site})
            for site, cookie in zip(cycle(sites), cookies, strict=False)
        ]
        began = time.monotonic()
        await asyncio.gather(*(_client(ws, figures, began + seconds, answer) for ws in sockets))
        figures.seconds = time.monotonic() - began
        for ws in sockets:
            await ws.close()
    return figures


async def _client(ws: aiohttp.ClientWebSocketResponse, figures: Figures, ends: float, answer: str) -> None:
    ask = {"type": "chat:message", "companion": "corporate"}
    while time.monotonic() < ends:
        began, request_id = time.monotonic(), uuid.uuid4().hex
        message = {"role": "user", "content": f"Question {request_id}"}
        await ws.send_str(json.dumps(ask | {"requestId": request_id, "messages": [message]}))
        while (event := await ws.receive_json())["type"] != answer:
            if event["type"] in ("error", "chat:rejected"):
                raise RuntimeError(f"answered {event}")
            if event["type"] == "ping":
                await ws.send_json({"type": "pong", "t": event["t"]})
        figures.times.append(time.monotonic() - began)
