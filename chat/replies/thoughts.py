"""The thoughts of a model before its answer: the owner sees how long it thinks, and can read them on request.

Thoughts are no part of an answer. They are kept in Redis alone, for `KEPT_SECONDS`:

{buddy}:thoughts:<job>       string  the thoughts of the job's latest run
{buddy}:thoughts:of:<owner>  set     the owner's jobs that have thoughts
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from queueing.api import JobContext, redis

logger = logging.getLogger(__name__)

#: Seconds for which thoughts can be read after their last word.
KEPT_SECONDS = 3600
#: Characters of the thoughts of one answer that are kept.
MAX_CHARACTERS = 100_000
#: Seconds between two reports to the owner.
INTERVAL = 1.0


class Thinking:
    """The thinking of one run of a job. Leaving the context ends its reports.

    `seconds` is how long the model has been thinking; 0 if it has not.
    """

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._before = 0.0
        """Seconds of thinking until the present thoughts began."""
        self._since: float | None = None
        self._unsaved: list[str] = []
        self._length = 0
        self._is_saved = False
        self._answers = asyncio.Event()
        """Set while the model does not think."""
        self._reports: asyncio.Task[None] | None = None

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return self._before + (time.monotonic() - self._since if self._since is not None else 0.0)

    @property
    def result(self) -> float | None:
        """The seconds for the job's result; None if the model has not been thinking."""
        return max(0.1, round(self.seconds, 1)) if self.seconds else None

    def on_thought(self, text: str) -> None:
        """Take a piece of the thoughts; an empty one says that the model thinks unseen."""
        if self._since is None:
            self._since = time.monotonic()
            self._answers.clear()
            if self._reports is None or self._reports.done():
                self._reports = asyncio.create_task(self._report())
        self._unsaved.append(text)

    def on_text(self, text: str) -> None:
        """Take a piece of the answer."""
        self._end()
        self._ctx.delta(text)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        if self._reports is None:
            return
        if kind is asyncio.CancelledError:
            self._reports.cancel()
            return
        await self._reports
        await self._save()

    def _end(self) -> None:
        if self._since is not None:
            self._before, self._since = self.seconds, None
            self._answers.set()

    async def _report(self) -> None:
        while not self._answers.is_set():
            self._ctx.thinking(self.seconds)
            await self._save()
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._answers.wait()

    async def _save(self) -> None:
        """Store the new thoughts after those that are stored; the first of a run replace all earlier ones."""
        text, self._unsaved = "".join(self._unsaved)[: MAX_CHARACTERS - self._length], []
        self._length += len(text)
        key, index = _key(self._ctx.job_id), _index(self._ctx.owner)
        pipe = redis.aclient().pipeline(transaction=False)
        if self._is_saved:
            pipe.append(key, text)
        else:
            pipe.set(key, text)
            pipe.sadd(index, self._ctx.job_id)
            pipe.expire(index, KEPT_SECONDS)
        pipe.expire(key, KEPT_SECONDS)
        try:
            await pipe.execute()
            self._is_saved = True
        except redis.Unavailable as exc:
            logger.warning("the thoughts of job %s are not kept: %s", self._ctx.job_id, exc)


async def read(job_id: UUID) -> str | None:
    """Return the thoughts of a job, which are empty if they are secret; None when none are kept."""
    try:
        text: str | None = await redis.aclient().get(_key(job_id.hex))
    except redis.Unavailable:
        return None
    return text


def forget(job_ids: Iterable[UUID]) -> None:
    """Delete the thoughts of jobs. Without Redis they expire by themselves."""
    if keys := [_key(job_id.hex) for job_id in job_ids]:
        _run(lambda client: client.delete(*keys))


def forget_owner(owner: str) -> None:
    """Delete all thoughts of an owner's jobs."""

    def delete(client: Any) -> None:
        keys = [_key(job_id) for job_id in client.smembers(_index(owner))]
        client.delete(_index(owner), *keys)

    _run(delete)


def merge_owner(old: str, new: str) -> None:
    """Make `new` the owner of the thoughts of `old`."""

    def move(client: Any) -> None:
        client.sunionstore(_index(new), _index(new), _index(old))
        client.expire(_index(new), KEPT_SECONDS)
        client.delete(_index(old))

    _run(move)


def _run(action: Any) -> None:
    try:
        action(redis.client())
    except redis.Unavailable as exc:
        logger.warning("thoughts are not deleted or moved, and expire by themselves: %s", exc)


def _key(job_id: str) -> str:
    return redis.app_key(f"thoughts:{job_id}")


def _index(owner: str) -> str:
    return redis.app_key(f"thoughts:of:{owner}")
