"""The jobs that are measured. Every peer has the same three."""

import asyncio
import os
import time
from typing import Any

from queueing.context import JobContext
from queueing.kinds import job


@job("noop", queue="bench")
async def noop(ctx: JobContext, **args: Any) -> None:
    """Do nothing."""


@job("sleep", queue="bench")
async def sleep(ctx: JobContext, **args: Any) -> None:
    """Wait for a second, as for the answer of a model."""
    await asyncio.sleep(1)


@job("stamp", queue="bench")
async def stamp(ctx: JobContext, *, sent: int) -> None:
    """Record the nanoseconds since the job was sent."""
    line = f"{time.monotonic_ns() - sent}\n"
    with open(os.environ["BENCH_STAMPS"], "a") as stamps:  # noqa: ASYNC230 (one line, into the page cache)
        stamps.write(line)
