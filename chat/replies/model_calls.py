"""Calls of models that count against an owner's budget: reserved before, recorded after.

Every paid call of a worker is made within `Payer.paying`: here, and for recordings in `transcription.py`.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import OperationalError, close_old_connections, transaction

from chat.accounts.personal_data.erasing import erase_if_late
from chat.errors import LimitReached
from chat.models import Thread
from chat.prompting.prompt import ModelRequest
from chat.upstream import CallUsage, ModelReply, ReplyCallbacks, stream_reply
from chat.upstream.stream import no_pause
from chat.usage import budgets, ledger
from chat.usage.budgets import CallSize
from queueing.api import Ending, Job, JobContext, JobError, Permanent, new_id

from . import thinking_room

logger = logging.getLogger(__name__)

#: Seconds between attempts, and number of attempts, to write to a database that is unavailable.
_RETRY_DELAY, _ATTEMPTS = 1.0, 10
#: Records usage, also that of a job that was cancelled and waits for nothing more.
_recorder = ThreadPoolExecutor(1, thread_name_prefix="usage")


@dataclass(kw_only=True)
class Payer:
    """The owner whose budget a run of a job uses, and what its calls are for."""

    job_id: str
    owner: str
    kind: str
    """The job's kind."""
    thread_id: str
    """Empty for a recording, which may belong to no thread."""
    companion: str
    calls_in_progress: list[CallSize] = field(default_factory=list)
    planned: CallSize = field(default_factory=CallSize)
    """The calls that the job will make after those in progress, which stay reserved for it."""

    @classmethod
    def of(cls, ctx: JobContext, *, thread_id: str, companion: str, owner: str = "") -> Self:
        """Return a payer for the job of `ctx`, which is about to call the model: its owner, or another."""
        ctx.asked_provider = True
        return cls(
            job_id=ctx.job_id,
            owner=owner or ctx.owner,
            kind=ctx.kind,
            thread_id=thread_id,
            companion=companion,
        )

    async def reserve(self, model: str = "") -> None:
        """Reserve the maximum of all calls in progress and planned, of the configured model or `model`.

        Raise `Permanent` when the budget has no room.
        """
        if not any(budgets.budget_of(self.owner)):
            return
        size = sum(self.calls_in_progress, self.planned)
        try:
            await sync_to_async(self._reserve)(size, model)
        except LimitReached as exc:
            raise Permanent(exc.message, code=exc.code) from exc

    def _reserve(self, size: CallSize, model: str) -> None:
        """Reserve. In one thread, so that a run that is cancelled in between leaves nothing."""
        budgets.reserve(
            self.owner,
            self.job_id,
            size.tokens,
            output_tokens=size.output_tokens,
            seconds_of_audio=size.seconds_of_audio,
            model=model,
        )
        erase_if_late(self.owner)

    @asynccontextmanager
    async def paying(self, size: CallSize, model: str = "") -> AsyncIterator[Callable[[CallUsage], None]]:
        """Reserve a call of this size, and yield the function that records what it used.

        What was recorded is stored when the block ends; when it is cancelled, a moment later.
        """
        recorded: list[Future[None]] = []
        self.calls_in_progress.append(size)
        try:
            await self.reserve(model)
            yield lambda usage: recorded.append(_recorder.submit(_record_with_retries, self, usage))
        except JobError:
            await _wait_for(recorded)
            raise
        finally:
            self.calls_in_progress.remove(size)
        await _wait_for(recorded)


async def call_model(
    request: ModelRequest,
    payer: Payer,
    *,
    on_text: Callable[[str], None] = lambda text: None,
    on_thought: Callable[[str], None] = lambda text: None,
    pace: Callable[[], Awaitable[None]] = no_pause,
) -> ModelReply:
    """Return the model's reply to `request`, paid by `payer`. The callbacks are those of `ReplyCallbacks`.

    A call whose thoughts leave no room for an answer is made once more, with more room. Raise `Permanent`
    (`budget_spent`) when the day's budget has no room for a call, and `JobError` as `stream_reply` does. The
    usage is recorded when this returns or raises; when it is cancelled, a moment later.
    """
    effort = settings.REASONING_EFFORT.get(payer.companion, "")
    request = replace(request, effort=effort, owner=payer.owner, thread_id=payer.thread_id)
    request = thinking_room.with_room(request, payer.companion)
    callbacks = ReplyCallbacks(on_text=on_text, on_thought=on_thought, pace=pace)
    try:
        return await _call_once(request, payer, callbacks)
    except JobError as exc:
        more = thinking_room.with_more_room(request) if exc.code == "no_room" else None
        if more is None:
            raise
        empty = exc
    try:
        reply = await _call_once(more, payer, callbacks)
    except JobError as exc:
        if exc.code in ("bad_request", "too_long"):  # the provider has no such room
            raise empty from exc
        raise
    thinking_room.remember(more)
    return reply


async def _call_once(request: ModelRequest, payer: Payer, callbacks: ReplyCallbacks) -> ModelReply:
    size = CallSize(
        tokens=request.estimated_input_tokens + request.max_tokens, output_tokens=request.max_tokens
    )
    async with payer.paying(size) as on_usage:
        return await stream_reply(request, replace(callbacks, on_usage=on_usage))


async def _wait_for(recorded: list[Future[None]]) -> None:
    for future in recorded:
        await asyncio.wrap_future(future)


def _record_with_retries(payer: Payer, usage: CallUsage) -> None:
    """Record what a call used. Never raises: an error here must not lose the answer."""
    call_id = new_id()
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            return _record(payer, usage, call_id)
        except OperationalError as exc:
            logger.warning("the database cannot record usage (%s)", exc)
            if attempts_left:
                time.sleep(_RETRY_DELAY)
        except Exception:
            logger.exception("usage could not be recorded")
            break
        finally:
            close_old_connections()
    logger.error("usage is lost: %s used %s", payer, usage)
    return None


@transaction.atomic
def _record(payer: Payer, usage: CallUsage, call_id: UUID) -> None:
    if not (owner := _current_owner(payer)):
        return
    ledger.record(
        ledger.CallRecord(
            id=call_id,
            job_id=payer.job_id,
            owner=owner,
            thread_id=payer.thread_id,
            companion=payer.companion,
            kind=payer.kind,
            model=usage.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            seconds_of_audio=usage.seconds_of_audio,
            estimated=usage.estimated,
            ended=usage.ended,
        )
    )


def _current_owner(payer: Payer) -> str:
    """Return who pays now: during the call a visitor may have signed up, or erased everything (empty)."""
    jobs = Job.objects.select_for_update().filter(id=payer.job_id)
    for owner in jobs.values_list("owner", flat=True):
        threads = Thread.objects.select_for_update().filter(id=payer.thread_id or None)
        return owner or threads.values_list("owner", flat=True).first() or ""
    return ""


def release_reservation(ending: Ending) -> None:
    """Release what is still reserved for a job that has ended: the `on_end` of jobs that call the model."""
    budgets.settle(ending.job_id)
