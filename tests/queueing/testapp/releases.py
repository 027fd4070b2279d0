"""Kinds of job as two releases of an application have them, for tests of a deploy.

A cluster has the release of its environment (`TEST_RELEASE`: old or new). The process of the tests takes one
with `web_of`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from queueing import kinds
from queueing.context import JobContext
from queueing.kinds import Ending, job
from queueing.schedule import redis_client


async def _note(ctx: JobContext, release: str) -> dict[str, Any]:
    await redis_client.aclient().rpush(f"note:{ctx.kind}", f"{ctx.job_id}:{release}:{ctx.version}")
    return {"release": release, "version": ctx.version}


def note_ending(ending: Ending) -> None:
    """Note each call of the hook."""
    redis_client.client().rpush("note:endings", f"{ending.job_id}:{ending.state}")


def register_old() -> None:
    """Register the kinds of the old release."""

    @job("release.raised", queue="test")
    async def raised(ctx: JobContext) -> dict[str, Any]:
        return await _note(ctx, "old")

    @job("release.gains", queue="test")
    async def gains(ctx: JobContext, *, a: int) -> dict[str, Any]:
        return await _note(ctx, "old")

    @job("release.loses", queue="test")
    def loses(ctx: JobContext, *, a: int, b: int) -> dict[str, Any]:
        return {"release": "old"}

    @job("release.original", queue="test")
    async def original(ctx: JobContext) -> dict[str, Any]:
        return await _note(ctx, "old")


def register_new() -> None:
    """Register the kinds of the new release."""

    @job("release.added", queue="test", topic="test", on_end=note_ending)
    async def added(ctx: JobContext, *, n: int = 0) -> dict[str, Any]:
        return await _note(ctx, "new")

    @job("release.raised", queue="test", version=2)
    async def raised(ctx: JobContext) -> dict[str, Any]:
        return await _note(ctx, "new")

    @job("release.gains", queue="test")
    async def gains(ctx: JobContext, *, a: int, b: int = 0) -> dict[str, Any]:
        return await _note(ctx, "new")

    @job("release.loses", queue="test")
    def loses(ctx: JobContext, *, a: int) -> dict[str, Any]:
        return {"release": "new"}

    @job("release.renamed", queue="test", aliases=("release.original",))
    async def renamed(ctx: JobContext) -> dict[str, Any]:
        return await _note(ctx, "new")


REGISTER = {"old": register_old, "new": register_new}


@contextmanager
def web_of(release: str) -> Iterator[None]:
    """Let this process have the kinds of a release, as a web process does."""
    before = dict(kinds._kinds)
    REGISTER[release]()
    try:
        yield
    finally:
        kinds._kinds.clear()
        kinds._kinds.update(before)


if RELEASE := os.environ.get("TEST_RELEASE"):
    REGISTER[RELEASE]()
