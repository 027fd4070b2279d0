"""One visitor: a session, some tabs, conversations, and the transcripts of all questions."""

import asyncio
import random
import time
from collections.abc import Coroutine
from typing import Any

import aiohttp

from tests.chaos.visitors.http_tab import HttpTab
from tests.chaos.visitors.questions import MIX, question
from tests.chaos.visitors.socket_tab import SocketTab
from tests.chaos.visitors.transcript import Transcript

#: Questions after which a visitor begins another conversation.
THREAD_LENGTH = 8
#: Seconds until a cancellation is sent again.
CANCEL_AGAIN = 2.0
#: Seconds to load a page at the end of the run.
LOOK_TIMEOUT = 10.0


class Visitor:
    """A visitor over a WebSocket (with two tabs at times), or over HTTP alone."""

    def __init__(self, number: int, seed: int, addresses: list[str]) -> None:
        self.name = f"v{number:02}"
        self._dice = random.Random(f"{seed}/{self.name}")
        self.addresses = addresses
        self.left = False
        self.transcripts: dict[str, Transcript] = {}
        self.open: dict[str, Transcript] = {}
        """Those that are not accepted, or have not ended."""
        self.foreign: list[str] = []
        """Events of other owners."""
        self._thread: list[Transcript] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.web = HttpTab(self, "http", random.Random(self._dice.random()))
        tabs = 0 if number % 4 == 3 else 2 if number % 4 == 0 else 1
        self.sockets = [
            SocketTab(self, str(n), random.Random(self._dice.random())) for n in range(1, tabs + 1)
        ]

    async def arrive(self) -> None:
        """Open the page, then the tabs."""
        jar = aiohttp.CookieJar(unsafe=True)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self.http = aiohttp.ClientSession(cookie_jar=jar, connector=connector)
        while not self.csrf_token():
            await self.web.call("GET", "/")
            await asyncio.sleep(0.1)
        for tab in self.sockets:
            self.background(tab.run())

    def csrf_token(self) -> str:
        return next((c.value for c in self.http.cookie_jar if c.key == "csrftoken"), "")

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ask(self) -> None:
        """Ask the next question."""
        what = self._dice.choices(list(MIX), list(MIX.values()))[0]
        request_id = f"{self.name}-{len(self.transcripts) + 1:04}"
        asked = Transcript(question(request_id, what, self._dice), self.name, time.time())
        if asked.question.is_chat and what != "shared":
            self._join_thread(asked)
        self.transcripts[request_id] = self.open[request_id] = asked
        self.background(self._see_through(asked))

    def _join_thread(self, asked: Transcript) -> None:
        """Continue the conversation, unless it is long, or its first message is not accepted yet."""
        first = self._thread[0] if self._thread else None
        if first and first.thread_id and len(self._thread) < THREAD_LENGTH:
            asked.thread_id = first.thread_id
            self._thread.append(asked)
        else:
            self._thread = [asked]

    async def _see_through(self, asked: Transcript) -> None:
        if self.sockets and asked.question.is_chat:
            await self.sockets[0].say(asked)
        else:
            await self.web.submit(asked)
            for tab in self.sockets:
                await tab.watch(asked)
            if not self.sockets and not asked.ended_at:
                self.background(self.web.follow(asked))
        if asked.question.what == "cancelled":
            await self._cancel(asked)

    async def _cancel(self, asked: Transcript) -> None:
        await asyncio.sleep(self._dice.uniform(0.1, 1.5))
        while not self.left and not asked.ended_at:
            if asked.accepted_at:
                asked.cancel_sent = True
                if self.sockets:
                    await self.sockets[0].cancel(asked)
                else:
                    await self.web.call("DELETE", f"/api/jobs/{asked.job_id}")
            await asyncio.sleep(CANCEL_AGAIN)

    def hear(self, tab: str, event: dict[str, Any]) -> Transcript | None:
        """Add an event; return the transcript when the tab has to ask for what is missing."""
        request_id = event.get("requestId")
        if request_id is None:
            return None
        transcript = self.transcripts.get(request_id)
        if transcript is None:
            self.foreign.append(f"{event['type']} of {request_id!r}")
            return None
        has_gap = transcript.hear(tab, event, time.time())
        if transcript.ended_at:
            self.open.pop(request_id, None)
        return transcript if has_gap else None

    async def look(self) -> None:
        """Read what the site shows at the end, as after a reload."""
        threads: dict[str, Any] = {}
        for transcript in self.transcripts.values():
            if transcript.question.is_chat and (thread_id := transcript.thread_id):
                if thread_id not in threads:
                    threads[thread_id] = await self._read_thread(f"/api/threads/{thread_id}")
                transcript.shown = _messages(threads[thread_id], transcript.job_id)
            elif transcript.job_id:
                job = await self._read(f"/api/jobs/{transcript.job_id}")
                transcript.shown = [("job", job["status"], job.get("response") or "")]

    async def _read_thread(self, path: str) -> Any:
        """Return the thread with the messages of all its pages."""
        thread = await self._read(path)
        earlier = thread.get("earlier")
        while earlier:
            page = await self._read(f"{path}?before={thread['messages'][0]['id']}")
            if "messages" not in page:
                return page
            thread["messages"] = page["messages"] + thread["messages"]
            earlier = page["earlier"]
        return thread

    async def _read(self, path: str) -> Any:
        status = 0
        for _ in range(3):
            status, answer = await self.web.call("GET", path, timeout=LOOK_TIMEOUT)
            if status == 200:
                return answer
            await asyncio.sleep(0.5)
        return {"status": f"HTTP {status}"}

    async def leave(self) -> None:
        self.left = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.http.close()


def _messages(thread: Any, job_id: str) -> list[tuple[str, str, str]]:
    """Return the messages of a job; `page` in place of a role when the thread cannot be loaded."""
    if "messages" not in thread:
        return [("page", thread["status"], "")]
    return [(m["role"], m["status"], m["content"]) for m in thread["messages"] if m["jobId"] == job_id]
