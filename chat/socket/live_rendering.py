"""Answers as HTML while they are still being written, for pages that ask for it (`job:render`).

A page asks when it has shown what it got, so a slow one is told less often. Of a socket one question is
open at a time, and all rendering of a process is done by one thread that rests more than it works: the
words themselves come first.
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

#: Seconds from one answer to the next on a socket, at least; and characters a second, of long blocks.
EVERY = 0.2
CHARACTERS_A_SECOND = 50_000
#: Of a process's time, what rendering may take.
SHARE = 0.25

_thread = ThreadPoolExecutor(1, "live-markdown")


class Live:
    """One socket's."""

    def __init__(self, follower: Follower, tell: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._follower = follower
        self._tell = tell
        self._question: Render | None = None
        self._answering: asyncio.Task[None] | None = None

    def ask(self, question: Render) -> None:
        """Answer when it is time to; of several questions the last. One about what does not run gets none."""
        self._question = question
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer())

    def close(self) -> None:
        """The socket is gone."""
        if self._answering:
            self._answering.cancel()

    async def _answer(self) -> None:
        while question := self._question:
            self._question = None
            size = 0
            try:
                size = await self._tell_rendered(question)
            except Exception:
                logger.exception("the Markdown of job %s is not shown for now", question.job_id)
            await asyncio.sleep(max(EVERY, size / CHARACTERS_A_SECOND))

    async def _tell_rendered(self, question: Render) -> int:
        """Answer it; how many characters that took."""
        known = self._follower.jobs.get(question.job_id.hex)
        if known is None:  # not the owner's, or over: its end says all
            return 0
        run, text = await events.text_so_far(question.job_id.hex)
        if not text:
            return 0
        offset = question.offset if question.run == run else 0
        loop = asyncio.get_running_loop()
        rendered = await loop.run_in_executor(_thread, _render_and_rest, text, offset)
        if question.job_id.hex not in self._follower.jobs:  # its end was told meanwhile
            return 0
        event = {
            "type": f"{events.topic_of(known.event)}:rendered",
            **events.common_fields(known.event),
            "run": run,
        }
        await self._tell(event | rendered)
        return len(rendered["html"]) + len(rendered["openHtml"])


def _render_and_rest(text: str, offset: int) -> dict[str, Any]:
    began = time.thread_time()
    rendered = rendered_from(text, offset)
    _thread.submit(time.sleep, (time.thread_time() - began) * (1 / SHARE - 1))
    return rendered


def rendered_from(text: str, offset: int) -> dict[str, Any]:
    """The fields of `…:rendered` for who has the blocks before `offset`, as docs/protocol.md gives them."""
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
