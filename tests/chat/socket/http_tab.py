"""A browser tab behind a network that forbids WebSockets: a stream, and messages by POST."""

import asyncio
import json
from typing import Any

from tests.chat.browser import Browser


class HttpTab:
    """The connection of a tab over HTTP, with the methods of a `Tab`."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.stream = ""
        self.answered: list[dict[str, Any]] = []
        """Events that came as answers to posts."""
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def open(self) -> dict[str, Any]:
        """Open the stream; return its greeting."""
        if not self.browser.client.cookies:
            await self.browser.client.get("/")
        response = await self.browser.client.get("/api/connection")
        assert (response.status_code, response["X-Accel-Buffering"]) == (200, "no")
        self._reading = asyncio.ensure_future(self._read(response))
        hello = await self.receive_event()
        self.stream = hello["stream"]
        return hello

    async def disconnect(self) -> None:
        """Go away, as servers notice it: they cancel what they send."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, response: Any) -> None:
        try:
            async for piece in response.streaming_content:
                self._pieces.put_nowait(piece)
        finally:
            self._pieces.put_nowait(None)

    async def receive_piece(self) -> bytes | None:
        """Return what comes next, also a comment; None after the end."""
        return await self._pieces.get()

    async def post(self, *messages: dict[str, Any], stream: str | None = None) -> Any:
        body = {"messages": list(messages)} | ({"stream": stream} if stream else {})
        return await self.browser.call("post", "/api/connection", body)

    async def send_message(self, **message: Any) -> None:
        answer = await self.post(message, stream=self.stream)
        assert answer.status_code == 200, answer.content
        self.answered += answer.json()["events"]

    async def ask(self, text: str = "Where to?", request_id: str = "r-1", **more: Any) -> None:
        messages = [{"role": "user", "content": text}]
        await self.send_message(
            type="chat:message", requestId=request_id, companion="travel", messages=messages, **more
        )

    async def receive_event(self, timeout: float = 10.0) -> dict[str, Any]:
        """Return the next event. Answer pings, as every client does."""
        async with asyncio.timeout(timeout):
            while (piece := await self.receive_piece()) is not None:
                if piece.startswith(b":"):
                    continue
                event = json.loads(piece.removeprefix(b"data: "))
                if event["type"] != "ping":
                    return event
                await self.send_message(type="pong", t=event["t"])
        raise AssertionError("the stream has ended")

    async def receive_until(self, *types: str) -> list[dict[str, Any]]:
        """Return all events up to the first of one of `types`, which is the last."""
        heard = [await self.receive_event()]
        while heard[-1]["type"] not in types:
            heard.append(await self.receive_event())
        return heard
