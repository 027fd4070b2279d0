"""The thoughts of a model before its answer: the owner sees how long it thinks, and can read them on request.

Thoughts are no part of an answer. They are kept in Redis alone, for `KEPT_SECONDS`:

{buddy}:app:thoughts:<job>  string  the thoughts of the job's latest run
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self
from uuid import UUID

from django.db import transaction

from queueing.api import Job, JobContext, erase_owner, redis

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
        self._thoughts: list[str] = []
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
        self._thoughts.append(text)

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
        """Store all thoughts: a Redis that lost the last ones, or was unavailable, has all of them again."""
        text = "".join(self._thoughts)[:MAX_CHARACTERS]
        self._thoughts = [text]
        save = ("SET", _key(self._ctx.job_id), text, "EX", KEPT_SECONDS)
        try:
            await redis.arun_while_claimed(self._ctx, [save])
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
    keys = [_key(job_id.hex) for job_id in job_ids]
    try:
        if keys:
            redis.client().delete(*keys)
    except redis.Unavailable as exc:
        logger.warning("thoughts are not deleted, and expire by themselves: %s", exc)


def erase_jobs(owner: str) -> None:
    """Delete an owner's jobs and then, after the commit, their thoughts. Call it within a transaction."""
    ids = list(Job.objects.filter(owner=owner).values_list("id", flat=True))
    erase_owner(owner)
    transaction.on_commit(lambda: forget(ids), robust=True)


def _key(job_id: str) -> str:
    return redis.app_key(f"thoughts:{job_id}")
