"""The load of one batch: `python -m bench.leaks.load MEASURE PORT COUNT SESSIONS_FILE`."""

import asyncio
import json
import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

#: Requests, or sockets, at the same time.
_AT_ONCE = 20
#: A token as Django makes them. The header must repeat that of the cookie.
_CSRF = "x" * 32
_GETS = ("/", "/api/threads", "/api/queue/status", "/healthz")


class Load:
    """The clients of one batch."""

    def __init__(self, http: aiohttp.ClientSession, port: int, sessions: list[str]) -> None:
        self._http, self._site, self._sessions = http, f"http://127.0.0.1:{port}", sessions

    def _cookie(self, number: int) -> str:
        return f"sessionid={self._sessions[number % len(self._sessions)]}; csrftoken={_CSRF}"

    async def request(self, number: int) -> None:
        """Send a request. One in five asks a question; the others read."""
        headers = {"Cookie": self._cookie(number // 5), "X-CSRFToken": _CSRF}
        if (kind := number % 5) < len(_GETS):
            answer = self._http.get(self._site + _GETS[kind], headers=headers)
        else:
            body = {"message": "Where to?", "requestId": uuid.uuid4().hex}
            answer = self._http.post(f"{self._site}/api/travel", json=body, headers=headers)
        async with answer as response:
            await response.read()
            assert response.status in (200, 202), (response.status, await response.text())

    async def socket(self, number: int) -> None:
        """Open a socket, ask and read the answer; one in ten is cut off as soon as its message is sent."""
        headers = {"Cookie": self._cookie(number), "Origin": self._site}
        async with self._http.ws_connect(f"{self._site}/ws/", headers=headers) as ws:
            request_id = uuid.uuid4().hex
            message = {"role": "user", "content": "Where to?"}
            ask = {"type": "chat:message", "companion": "travel", "requestId": request_id}
            await ws.send_str(json.dumps(ask | {"messages": [message]}))
            if number % 10 == 0:
                ws._response.connection.transport.abort()
                return
            while not _is_end(event := await ws.receive_json(), request_id):
                if event["type"] == "ping":
                    await ws.send_json({"type": "pong", "t": event["t"]})


def _is_end(event: dict[str, str], request_id: str) -> bool:
    if event["type"] in ("error", "chat:rejected", "chat:failed"):
        raise RuntimeError(f"answered {event}")
    return event["type"] == "chat:completed" and event["requestId"] == request_id


async def _run(measure: str, port: int, count: int, sessions: list[str]) -> None:
    numbers = iter(range(count))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        load = Load(http, port, sessions)
        act: Callable[[int], Awaitable[None]] = load.request if measure == "requests" else load.socket

        async def client() -> None:
            for number in numbers:
                await act(number)

        await asyncio.gather(*(client() for _ in range(_AT_ONCE)))


if __name__ == "__main__":
    _, of, at, number_of, file = sys.argv
    asyncio.run(_run(of, int(at), int(number_of), Path(file).read_text().split()))
