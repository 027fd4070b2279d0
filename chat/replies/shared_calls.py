"""One call of the model for all jobs of a worker that ask the same at the same moment.

A job joins a call when its own turn in line has come, so it never waits for the line of another. It gets the
text so far at once, and the rest as it arrives. The call ends when the last of its jobs leaves: the first
asker can cancel, or be erased, without harm to the others. If the call fails, the others make their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from chat.upstream import ModelReply, ReplyCallbacks
from queueing.api import JobError

#: Seconds to wait for the rhythm of a job, which may have left in the meantime.
_MAX_PACE = 1.0

Ask = Callable[[ReplyCallbacks], Awaitable[ModelReply]]


class SharedCall:
    """A call in progress, and the jobs that get its answer."""

    def __init__(self, ask: Ask) -> None:
        self._text = ""
        self._jobs: list[ReplyCallbacks] = []
        callbacks = ReplyCallbacks(on_text=self._say, on_thought=self._think, pace=self._pace)
        self._task = asyncio.ensure_future(ask(callbacks))

    async def join(self, job: ReplyCallbacks) -> ModelReply:
        """Return the answer, calling back with its text. Raise as the call does."""
        if self._text:
            job.on_text(self._text)
        self._jobs.append(job)
        try:
            return await asyncio.shield(self._task)
        finally:
            self._leave(job)
            if not self._jobs and not self._task.done():
                self._task.cancel()

    @property
    def is_open(self) -> bool:
        """Whether a job may join."""
        return bool(self._jobs) and not self._task.done()

    def _leave(self, job: ReplyCallbacks) -> None:
        self._jobs = [other for other in self._jobs if other is not job]

    def _say(self, text: str) -> None:
        self._text += text
        self._each(lambda job: job.on_text(text))

    def _think(self, text: str) -> None:
        self._each(lambda job: job.on_thought(text))

    def _each(self, call: Callable[[ReplyCallbacks], None]) -> None:
        for job in list(self._jobs):
            try:
                call(job)
            except asyncio.CancelledError:  # this job was cancelled, not the call
                self._leave(job)

    async def _pace(self) -> None:
        """Read in the rhythm of the first job."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MAX_PACE):
                for job in self._jobs[:1]:
                    await job.pace()


_calls: dict[tuple[asyncio.AbstractEventLoop, str], SharedCall] = {}


async def ask_once(key: str, ask: Ask, job: ReplyCallbacks) -> tuple[ModelReply, bool]:
    """Return the answer to a question, and whether it is that of another job's call.

    Questions with the same `key` share a call; an empty one shares with none. Raise as `ask` does.
    """
    if not key:
        return await ask(job), False
    name = asyncio.get_running_loop(), key
    if (call := _calls.get(name)) and call.is_open:
        said: list[str] = []
        try:
            return await call.join(replace(job, on_text=_noting(job, said))), True
        except JobError:
            # What was said is replaced when the answer is complete.
            return await ask(replace(job, on_text=_ignore) if said else job), False
    call = _calls[name] = SharedCall(ask)
    try:
        return await call.join(job), False
    finally:
        if _calls.get(name) is call and not call.is_open:
            del _calls[name]


def _noting(job: ReplyCallbacks, said: list[str]) -> Callable[[str], None]:
    """Return a function that passes text on to the job, and notes it in `said`."""

    def on_text(text: str) -> None:
        said.append(text)
        job.on_text(text)

    return on_text


def _ignore(text: str) -> None:
    """Do nothing with a piece of text."""
