"""Jobs and tasks that kill their worker, and neighbours that do nothing wrong."""

import asyncio
import os
import signal
from typing import Any

from queueing.context import JobContext
from queueing.kinds import job
from queueing.schedule import redis_client

from .jobs import note_ending


@job("test.killer", queue="test", topic="test", on_end=note_ending)
async def killer(ctx: JobContext, *, how: str) -> None:
    """Kill the worker as soon as all others of the test run."""
    client = redis_client.aclient()
    await client.rpush("note:killers", f"{os.getpid()}:{ctx.job_id}")
    while not await client.exists("note:all-run"):
        await asyncio.sleep(0.02)
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGSEGV if how == "segv" else signal.SIGKILL)


@job("test.neighbour", queue="test", topic="test", on_end=note_ending)
async def neighbour(ctx: JobContext) -> dict[str, Any]:
    """Do nothing wrong, for a moment, until the killer was there."""
    client = redis_client.aclient()
    await client.rpush("note:neighbours", f"{os.getpid()}:{ctx.job_id}")
    while not await client.exists("note:all-run"):
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    return {}


def kill_as_task() -> None:
    """Kill the worker in each run, as a task of Django-Q2."""
    redis_client.client().rpush("note:tasks", os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)
