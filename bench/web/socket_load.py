"""The load of sockets: each sends its next message after its last one was answered."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from itertools import cycle

import aiohttp

from .load import Cpu, Figures, network


def measure_sockets(
    ports: Sequence[int], cookies: Sequence[str], cpu: Cpu, *, seconds: float, answer: str
) -> Figures:
    """Send messages for `seconds` over one socket for each cookie; `answer` is the type of what answers.

    The handshakes are over before, so only messages are measured.
    """
    return asyncio.run(_measure(ports, cookies, cpu, seconds, answer))


async def _measure(
    ports: Sequence[int], cookies: Sequence[str], cpu: Cpu, seconds: float, answer: str
) -> Figures:
    figures = Figures()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        sites = [f"http://127.0.0.1:{port}" for port in ports]
        sockets = [
            await http.ws_connect(site + "/ws/", headers=_headers(site, cookie, number))
            for number, (site, cookie) in enumerate(zip(cycle(sites), cookies, strict=False))
        ]
        await asyncio.gather(*(_ping(ws) for ws in sockets))
        began, figures.cpu = time.monotonic(), -cpu()
        await asyncio.gather(*(_client(ws, figures, began + seconds, answer) for ws in sockets))
        figures.seconds = time.monotonic() - began
        figures.cpu += cpu()
        for ws in sockets:
            await ws.close()
    return figures


def _headers(site: str, cookie: str, number: int) -> dict[str, str]:
    name, _, address = network(number).partition(": ")
    return {"Cookie": cookie, "Origin": site, name: address}


async def _ping(ws: aiohttp.ClientWebSocketResponse) -> None:
    """Wait until everything that the server does for a new socket is done."""
    await ws.send_json({"type": "ping", "t": 1})
    while (await ws.receive_json()).get("t") != 1:
        pass


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
