"""Kinds of job with options, for tests of these."""

import asyncio
import time
from typing import Any

from queueing.context import JobContext
from queueing.errors import Permanent
from queueing.kinds import Ending, job
from queueing.schedule import redis_client


def note_ending(ending: Ending) -> None:
    """Write a row for each call of the hook."""
    from .models import Written

    Written.objects.create(job_id=ending.job_id, state=ending.state, text=ending.code)


def backoff_by_error(attempt: int, error: BaseException) -> Any:
    """Return what the error says."""
    if isinstance(error, LookupError):
        return None
    if isinstance(error, ZeroDivisionError):
        raise SystemExit("the backoff itself fails")
    return {"nan": float("nan"), "text": "soon"}.get(str(error), 0.01 * attempt)


_ERRORS = {"lookup": LookupError, "zero": ZeroDivisionError, "permanent": Permanent}


@job(
    "options.kind",
    queue="test",
    topic="test",
    on_end=note_ending,
    attempts=5,
    timeout=0.5,
    backoff=backoff_by_error,
    expires=3600,
    tags=["of-kind", "shared"],
)
async def of_kind(ctx: JobContext, *, how: str = "", seconds: float = 0.0, extend: float = 0.0) -> int:
    """Raise what `how` says, or sleep."""
    await redis_client.aclient().rpush("note:options", f"{ctx.job_id}:{time.time()}")
    if extend:
        ctx.extend(extend / 2)
        ctx.extend(extend / 2)
    await asyncio.sleep(seconds)
    if how:
        raise _ERRORS.get(how, ValueError)(how)
    return ctx.attempt


@job("options.plain", queue="test", timeout=0.4)
def plain(ctx: JobContext, *, extend: float = 0.0) -> str:
    """Run for a second, as a plain function."""
    if extend:
        ctx.extend(extend)
    for _ in range(20):
        if ctx.cancelled:
            return "cancelled"
        time.sleep(0.05)
    return "done"
