"""A visitor's browser and its tabs, talking to the consumer in this process."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from buddy.asgi import application

ORIGIN = (b"origin", b"http://localhost")
#: What every browser sends when a page of the site opens a socket.
PAGE = [(b"host", b"localhost"), ORIGIN]


class Tab(WebsocketCommunicator):
    """A browser tab's socket, from after its `hello`."""

    async def send_message(self, **message: Any) -> None:
        await self.send_to(text_data=json.dumps(message))

    async def ask(self, text: str = "Where to?", request_id: str = "r-1", **more: Any) -> None:
        messages = [{"role": "user", "content": text}]
        await self.send_message(
            **{"type": "chat:message", "requestId": request_id, "companion": "travel", "messages": messages}
            | more
        )

    async def receive_event(self, timeout: float = 10.0) -> dict[str, Any]:
        """Return the next event. Answer pings, as every client does."""
        while True:
            event = json.loads(await self.receive_from(timeout))
            if event["type"] != "ping":
                return event
            await self.send_message(type="pong", t=event["t"])

    async def receive_close_code(self, timeout: float = 15.0) -> int:
        """Return the code with which the server closes; skip the events before."""
        while (output := await self.receive_output(timeout))["type"] != "websocket.close":
            pass
        return output["code"]

    async def receive_until(self, *types: str, timeout: float = 20.0) -> list[dict[str, Any]]:
        """Return all events up to the first of one of `types`, which is the last."""
        heard = [await self.receive_event(timeout)]
        while heard[-1]["type"] not in types:
            heard.append(await self.receive_event(timeout))
        return heard


class Browser:
    """A visitor with a session, who opens tabs."""

    def __init__(self) -> None:
        self.client = AsyncClient()
        self.first_key = ""
        """The session key when the first tab was opened."""
        self.tabs = AsyncExitStack()

    async def open(self, kind: type[Tab] = Tab) -> Tab:
        if not self.client.cookies:
            await self.client.get("/")
        self.first_key = self.first_key or self.client.cookies["sessionid"].value
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self.client.cookies.items())
        tab = kind(application, "/ws/", headers=[*PAGE, (b"cookie", cookies.encode())])
        connected, _ = await tab.connect(timeout=10)
        assert connected
        self.tabs.push_async_callback(tab.disconnect)
        hello = await tab.receive_event()
        assert hello["type"] == "hello"
        return tab

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API as the page does."""
        token = self.client.cookies["csrftoken"].value
        options = {"data": body, "content_type": "application/json"} if body is not None else {}
        return await getattr(self.client, method)(path, headers={"X-CSRFToken": token}, **options)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    one = Browser()
    async with one.tabs:
        yield one


async def file_of(response: Any) -> str:
    """Return the text of a file that is streamed."""
    return b"".join([part async for part in response]).decode()


def text_of(events: list[dict[str, Any]]) -> str:
    """Return the text of the deltas; each must begin where the previous one ended."""
    text = ""
    for event in events:
        if event["type"] == "chat:delta":
            assert event["offset"] == len(text)
            text += event["text"]
    return text
