"""A tab with a WebSocket: connects again with a backoff, greets, resends, resumes, answers pings."""

import asyncio
import json
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.chaos.visitors.transcript import Transcript

if TYPE_CHECKING:
    from tests.chaos.visitors.visitor import Visitor

#: The page's times, in seconds: between two pings, for the pong, for the greeting, between connections.
PING_EVERY, PONG_WITHIN, HELLO_WITHIN, LONGEST_WAIT = 20.0, 8.0, 10.0, 5.0
#: Seconds after which a refused message is sent again, unless the server says another time.
RESEND_AFTER = 1.5


class SocketTab:
    """One tab of a visitor. The first one sends the messages."""

    def __init__(self, visitor: "Visitor", name: str, dice: random.Random) -> None:
        self.visitor, self.name, self._dice = visitor, name, dice
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._online = False
        self.connections = 0

    async def run(self) -> None:
        wait = 0.2
        while not self.visitor.left:
            with suppress(
                aiohttp.ClientError, OSError, TimeoutError, ValueError, asyncio.IncompleteReadError
            ):
                address = self._dice.choice(self.visitor.addresses)
                async with asyncio.timeout(HELLO_WITHIN):
                    connecting = self.visitor.http.ws_connect(
                        f"{address}/ws/", headers={"Origin": address}, max_msg_size=1 << 22, autoclose=True
                    )
                    self._socket = await connecting
                await self._listen(self._socket)
            wait = 0.2 if self._online else min(LONGEST_WAIT, wait * 2)
            self._online = False
            if self._socket:
                with suppress(Exception):
                    await asyncio.wait_for(self._socket.close(), 1)
            await asyncio.sleep(wait * self._dice.uniform(0.5, 1.5))

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while not self.visitor.left:
            message = await self._receive(socket)
            if message.type != aiohttp.WSMsgType.TEXT:
                return
            event = json.loads(message.data)
            match event["type"]:
                case "hello":
                    self._online = True
                    self.connections += 1
                    await self._greeted()
                case "ping":
                    await self._send(type="pong", t=event["t"])
                case "pong" | "queue:pressure":
                    pass
                case _:
                    await self._heard(event)

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        """Return the next message. A socket can be dead without being closed: only silence shows it."""
        if not self._online:
            return await socket.receive(HELLO_WITHIN)
        try:
            return await socket.receive(PING_EVERY)
        except TimeoutError:
            await self._send(type="ping", t=1)
            return await socket.receive(PONG_WITHIN)

    async def _send(self, **frame: Any) -> None:
        if self._online and self._socket:
            with suppress(aiohttp.ClientError, OSError):
                await self._socket.send_str(json.dumps(frame))

    async def _greeted(self) -> None:
        """Send what is not accepted, and ask for what was missed."""
        for transcript in list(self.visitor.open.values()):
            if transcript.accepted_at:
                await self.watch(transcript)
            elif self.name == "1" and transcript.question.is_chat:
                await self.say(transcript)

    async def _heard(self, event: dict[str, Any]) -> None:
        if event["type"] == "error" or event["type"].endswith(":rejected"):
            if transcript := self.visitor.transcripts.get(event.get("requestId", "")):
                self.visitor.background(self._resend(transcript, event))
            return
        if transcript := self.visitor.hear(self.name, event):
            reading = transcript.reading(self.name)
            gap = (reading.run, len(reading.text))
            if reading.gap_asked != gap:
                reading.gap_asked = gap
                await self.watch(transcript)

    async def _resend(self, transcript: Transcript, event: dict[str, Any]) -> None:
        if event["code"] in ("invalid", "not_found", "bad_message", "too_large"):
            transcript.wrong.append(f"refused: {event['code']}")
        await asyncio.sleep(event.get("retryAfter") or RESEND_AFTER)
        if not transcript.accepted_at:
            await self.say(transcript)

    async def say(self, transcript: Transcript) -> None:
        question = transcript.question
        frame = {"messages": [{"role": "user", "content": question.text}], "companion": "travel"}
        more = {"threadId": transcript.thread_id} if transcript.thread_id else {}
        await self._send(type="chat:message", requestId=question.request_id, **frame, **more)

    async def watch(self, transcript: Transcript) -> None:
        if not transcript.job_id:
            return
        reading = transcript.reading(self.name)
        place = {"run": reading.run, "offset": len(reading.text)} if reading.run else {}
        await self._send(type="job:watch", jobId=transcript.job_id, **place)

    async def cancel(self, transcript: Transcript) -> None:
        await self._send(type="job:cancel", jobId=transcript.job_id)
