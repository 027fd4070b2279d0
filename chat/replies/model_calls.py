"""Calls of the model that somebody pays for: reserved before, recorded after, whoever answered."""

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.db import OperationalError, close_old_connections, transaction

from chat.errors import LimitReached
from chat.models import Thread
from chat.prompting.token_budget import Turn, turn_cost
from chat.upstream import CallUsage, ModelReply, stream_reply
from chat.usage import budgets, ledger
from queueing.api import Job, JobContext, JobError, Permanent, new_id

logger = logging.getLogger(__name__)

#: Seconds between tries, and tries in all, while the database is away.
_AGAIN, _TRIES = 1.0, 10
#: Writes what was used, also what was used by a job that has been cancelled and waits for nothing more.
_writer = ThreadPoolExecutor(1, thread_name_prefix="usage")


@dataclass(kw_only=True)
class Payer:
    """What calls are for, and whose budget bears them. One for each run of a job."""

    job_id: str
    owner: str
    kind: str
    """The job's."""
    thread_id: str
    companion: str
    under_way: list[tuple[int, int]] = field(default_factory=list)
    """The most tokens that each call under way can take: in all, and the answer's."""

    @classmethod
    def of(cls, ctx: JobContext, *, thread_id: str, companion: str, owner: str = "") -> Self:
        """The owner of the job `ctx` is about, unless another is named."""
        return cls(
            job_id=ctx.job_id,
            owner=owner or ctx.owner,
            kind=ctx.kind,
            thread_id=thread_id,
            companion=companion,
        )

    async def reserve(self) -> None:
        """Set aside what all that is under way can take."""
        if not any(budgets.budget_of(self.owner)):
            return
        tokens, output = (sum(sizes) for sizes in zip(*self.under_way, strict=True))
        try:
            await sync_to_async(budgets.reserve)(self.owner, self.job_id, tokens, output_tokens=output)
        except LimitReached as exc:
            raise Permanent(exc.message, code=exc.code) from exc


async def call(
    payer: Payer,
    *,
    instructions: str,
    turns: Sequence[Turn],
    max_output_tokens: int,
    **more: Any,
) -> ModelReply:
    """The model's answer to the last of `turns`, paid by `payer`; `more` is as for `stream_reply`.

    Raises `Permanent` (`budget_spent`) when the day's budget has no room for it, and `JobError` as
    `stream_reply` does. What the calls used is on record when this returns or raises; when it is
    cancelled, a moment later.
    """
    read = turn_cost(instructions) + sum(turn_cost(turn.content) for turn in turns)
    size = (read + max_output_tokens, max_output_tokens)
    written: list[Future[None]] = []

    def on_usage(usage: CallUsage) -> None:
        written.append(_writer.submit(_write, payer, usage))

    payer.under_way.append(size)
    try:
        await payer.reserve()
        reply = await stream_reply(
            instructions=instructions,
            turns=turns,
            max_output_tokens=max_output_tokens,
            thread_id=payer.thread_id,
            owner=payer.owner,
            on_usage=on_usage,
            **{"on_text": lambda _: None} | more,
        )
    except JobError:
        await _all(written)
        raise
    finally:
        payer.under_way.remove(size)
    await _all(written)
    return reply


async def _all(written: list[Future[None]]) -> None:
    for future in written:
        await asyncio.wrap_future(future)


def _write(payer: Payer, spent: CallUsage) -> None:
    """Never raises: an answer is not lost because it could not be put on the bill."""
    call_id = new_id()
    for tries_left in reversed(range(_TRIES)):
        try:
            return _record(payer, spent, call_id)
        except OperationalError as exc:
            logger.warning("the database records no usage (%s)", exc)
            if tries_left:
                time.sleep(_AGAIN)
        except Exception:
            logger.exception("usage could not be recorded")
            break
        finally:
            close_old_connections()
    logger.error("lost from the record: %s used %s", payer, spent)
    return None


@transaction.atomic
def _record(payer: Payer, spent: CallUsage, call_id: Any) -> None:
    if not (owner := _whose(payer)):
        return
    ledger.record(
        ledger.CallRecord(
            id=call_id,
            job_id=payer.job_id,
            owner=owner,
            thread_id=payer.thread_id,
            companion=payer.companion,
            kind=payer.kind,
            model=spent.model,
            input_tokens=spent.input_tokens,
            output_tokens=spent.output_tokens,
            cached_tokens=spent.cached_tokens,
            estimated=spent.estimated,
            ended=spent.ended,
        )
    )


def _whose(payer: Payer) -> str:
    """Who pays by now: since the call began, a visitor may be a user, or have erased everything (empty)."""
    jobs = Job.objects.select_for_update().filter(id=payer.job_id)
    for owner in jobs.values_list("owner", flat=True):
        threads = Thread.objects.filter(id=payer.thread_id)
        return owner or threads.values_list("owner", flat=True).first() or ""
    return ""
