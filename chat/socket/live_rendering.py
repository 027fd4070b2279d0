"""Answers as HTML while they are still being written, for pages that ask for it (`job:render`).

A page asks again when it has shown the last result, so a slow page gets fewer. One request of a socket is
open at a time, and one thread renders for the whole process and pauses more than it works: sending text
comes first.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chat.markdown.partial import has_definitions, render_open, settled_length
from chat.markdown.render import render
from chat.protocol.client_messages import Render
from queueing.api import events
from queueing.api.events import Follower

logger = logging.getLogger(__name__)

#: Minimum seconds between two results on a socket; and characters a second, for long blocks.
MIN_INTERVAL = 0.2
MAX_CHARACTERS_PER_SECOND = 50_000
#: Maximum part of a process's time that rendering takes.
MAX_CPU_SHARE = 0.25

_thread = ThreadPoolExecutor(1, "live-markdown")


class LiveRenderer:
    """Renders unfinished answers for one socket."""

    def __init__(self, follower: Follower, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._follower = follower
        self._send = send
        self._latest: Render | None = None
        self._task: asyncio.Task[None] | None = None

    def request(self, message: Render) -> None:
        """Answer the latest request when the interval allows. A job that does not run gets no answer."""
        self._latest = message
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._answer())

    def close(self) -> None:
        """Stop rendering for this socket."""
        if self._task:
            self._task.cancel()

    async def _answer(self) -> None:
        while message := self._latest:
            self._latest = None
            size = 0
            try:
                size = await self._send_rendered(message)
            except Exception:
                logger.exception("job %s could not be rendered; the page asks again", message.job_id)
            await asyncio.sleep(max(MIN_INTERVAL, size / MAX_CHARACTERS_PER_SECOND))

    async def _send_rendered(self, message: Render) -> int:
        """Answer one request; return the number of characters sent."""
        job_id = message.job_id.hex
        followed = self._follower.jobs.get(job_id)
        if followed is None:  # another owner's job, or a finished one, whose last event has the HTML
            return 0
        run, text = await events.text_so_far(job_id)
        if not text:
            return 0
        offset = message.offset if message.run == run else 0
        loop = asyncio.get_running_loop()
        rendered = await loop.run_in_executor(_thread, _render_and_pause, text, offset)
        if job_id not in self._follower.jobs:  # it finished meanwhile
            return 0
        event = {
            "type": f"{events.topic_of(followed.event)}:rendered",
            **events.common_fields(followed.event),
            "run": run,
        }
        await self._send(event | rendered)
        return len(rendered["html"]) + len(rendered["openHtml"])


def _render_and_pause(text: str, offset: int) -> dict[str, Any]:
    started = time.thread_time()
    rendered = rendered_from(text, offset)
    _thread.submit(time.sleep, (time.thread_time() - started) * (1 / MAX_CPU_SHARE - 1))
    return rendered


def rendered_from(text: str, offset: int) -> dict[str, Any]:
    """Return the fields of `…:rendered` for a client that has the blocks before `offset`."""
    whole = has_definitions(text)
    if whole or offset > len(text):
        offset = 0
    end = offset if whole else offset + settled_length(text[offset:])
    rest = render_open(text[end:])
    return {
        "offset": offset,
        "html": render(text[offset:end]),
        "settled": end,
        "openHtml": rest.html,
        "length": len(text),
        "goesOn": rest.continues,
    }
