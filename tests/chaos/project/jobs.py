"""Kinds of job that use the engine alone. Each call at the provider is the effect of one run."""

import asyncio
import json
import os
import urllib.request
from typing import Any

from django.conf import settings

from queueing.api import JobContext, job

#: The kinds that visitors can submit.
KINDS = {"chaos.work", "chaos.plain", "chaos.limited", "chaos.grown"}


def _work(key: str, queue: str, seconds: float) -> str:
    """Report the work at the provider, which makes it last."""
    body = {"key": key, "queue": queue, "seconds": seconds, "instance": _instance()}
    request = urllib.request.Request(
        os.environ["CHAOS_WORK_URL"], json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["answer"])


def _instance() -> str:
    return os.environ["OPENAI_API_KEY"].removeprefix("sk-")


async def _answer(ctx: JobContext, key: str, queue: str, seconds: float) -> dict[str, Any]:
    """Do the work and stream its answer in pieces."""
    answer = await asyncio.to_thread(_work, key, queue, seconds)
    for start in range(0, len(answer), 40):
        ctx.delta(answer[start : start + 40])
        await asyncio.sleep(0.01)
    return {"response": answer}


@job("chaos.work", queue="chaos-work", topic="analysis")
async def work(ctx: JobContext, *, key: str, seconds: float) -> dict[str, Any]:
    """Work as a coroutine."""
    return await _answer(ctx, key, "chaos-work", seconds)


@job("chaos.plain", queue="chaos-work", topic="analysis")
def plain(ctx: JobContext, *, key: str, seconds: float) -> dict[str, Any]:
    """Work in a thread."""
    answer = _work(key, "chaos-work", seconds)
    ctx.delta(answer)
    return {"response": answer}


@job("chaos.limited", queue="chaos-limited", topic="analysis")
async def limited(ctx: JobContext, *, key: str, seconds: float) -> dict[str, Any]:
    """Work in a queue with a limiter."""
    return await _answer(ctx, key, "chaos-limited", 0.05)


if settings.CHAOS_VERSION < 2:

    @job("chaos.grown", queue="chaos-work", topic="analysis")
    async def grown(ctx: JobContext, *, key: str, seconds: float) -> dict[str, Any]:
        """Work whose newer version has one more argument."""
        return await _answer(ctx, key, "chaos-work", seconds)

else:
    KINDS.add("chaos.new")

    @job("chaos.new", queue="chaos-work", topic="analysis")
    async def new(ctx: JobContext, *, key: str, seconds: float) -> dict[str, Any]:
        """Work that only the newer version knows."""
        return await _answer(ctx, key, "chaos-work", seconds)

    @job("chaos.grown", queue="chaos-work", topic="analysis", version=2)
    async def grown(ctx: JobContext, *, key: str, seconds: float, tone: str = "") -> dict[str, Any]:
        """Work with one more argument than in the older version."""
        return await _answer(ctx, key, "chaos-work", seconds)
