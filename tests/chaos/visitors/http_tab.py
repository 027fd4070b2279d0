"""HTTP as the page uses it: requests that are tried again, and server-sent events that resume."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp

from tests import speech
from tests.chaos.provider import MARK
from tests.chaos.visitors.transcript import Transcript

if TYPE_CHECKING:
    from tests.chaos.visitors.visitor import Visitor

RECORDING = speech.WEBM.read_bytes()
#: Seconds without a byte of a stream (the server sends a comment every 15 s), and of a request.
STREAM_TIMEOUT, REQUEST_TIMEOUT = 25.0, 40.0
#: Statuses after which asking again cannot help.
FINAL = {400, 401, 403, 404, 413, 422}
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class HttpTab:
    """One visitor's requests."""

    def __init__(self, visitor: "Visitor", name: str, dice: random.Random) -> None:
        self.visitor, self.name, self._dice = visitor, name, dice

    async def call(
        self, method: str, path: str, *, timeout: float = REQUEST_TIMEOUT, **options: Any
    ) -> tuple[int, Any]:
        """Return (status, JSON) of one request; status 0 when there was no answer."""
        address = self._dice.choice(self.visitor.addresses)
        headers = {"Origin": address, "X-CSRFToken": self.visitor.csrf_token()}
        options |= {"headers": headers, "timeout": aiohttp.ClientTimeout(total=timeout)}
        try:
            async with self.visitor.http.request(method, address + path, **options) as answer:
                is_json = "json" in answer.content_type
                return answer.status, await answer.json() if is_json else None
        except _BROKEN:
            return 0, None

    async def submit(self, transcript: Transcript) -> None:
        """Send a question until it is accepted."""
        wait = 0.5
        while not self.visitor.left and not transcript.accepted_at:
            path, options = request_of(transcript)
            status, answer = await self.call("POST", path, **options)
            if status == 202:
                self.visitor.hear(self.name, answer | {"type": "chat:queued"})
                return
            if status in FINAL:
                transcript.wrong.append(f"refused: {status} {answer}")
            await asyncio.sleep((answer or {}).get("retryAfter") or wait * self._dice.uniform(0.5, 1.5))
            wait = min(4.0, wait * 2)

    async def follow(self, transcript: Transcript) -> None:
        """Follow a job to its end, over as many connections as it takes."""
        place, wait = "", 0.3
        while not self.visitor.left and not transcript.ended_at:
            with suppress(*_BROKEN):
                async for event in self._events(transcript.job_id, place):
                    wait = 0.3
                    if event.get("run") and "offset" in event:
                        place = f"{event['run']}.{event['offset'] + len(event['text'])}"
                    if self.visitor.hear(self.name, event):
                        transcript.wrong.append("a gap in a server-sent stream")
            await asyncio.sleep(wait * self._dice.uniform(0.5, 1.5))
            wait = min(4.0, wait * 2)

    async def _events(self, job_id: str, place: str) -> AsyncIterator[dict[str, Any]]:
        address = self._dice.choice(self.visitor.addresses)
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": place} if place else {})
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=STREAM_TIMEOUT)
        url = f"{address}/api/jobs/{job_id}/events"
        async with self.visitor.http.get(url, headers=headers, timeout=timeout) as answer:
            if answer.status != 200:
                return
            async for line in answer.content:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])


def request_of(transcript: Transcript) -> tuple[str, dict[str, Any]]:
    """Return the address and the body with which a question is sent."""
    question = transcript.question
    thread = {"threadId": transcript.thread_id} if transcript.thread_id else {}
    match question.what:
        case "recording":
            form = aiohttp.FormData({"companion": "travel", "requestId": question.request_id})
            mark = MARK + question.request_id.encode()
            marked = RECORDING + bytes([0xEC, 0x80 | len(mark)]) + mark  # an element that players skip
            form.add_field("file", marked, filename="recording.webm")
            return "/api/audio", {"data": form}
        case "document":
            body = {"companion": "travel", "text": question.text, "requestId": question.request_id}
            return "/api/analysis", {"json": body}
        case "work" | "plain" | "limited" | "new" | "grown":
            fields = {"requestId": question.request_id, "seconds": question.seconds}
            return "/chaos/jobs", {"json": fields | {"kind": f"chaos.{question.what}"}}
    return "/api/travel", {"json": {"message": question.text, "requestId": question.request_id} | thread}
