"""A run whose claim holds, for what is stored only then."""

from collections.abc import Iterator
from contextlib import contextmanager

from queueing.api import JobContext, new_id, redis
from queueing.schedule import scripts


@contextmanager
def active_run() -> Iterator[JobContext]:
    """Return the context of a run, as a handler has it. Its claim ends with the block."""

    async def pace() -> None: ...

    ctx = JobContext(
        job_id=new_id().hex,
        kind="chat.reply",
        owner="s:alice",
        request_id="",
        attempt=1,
        max_attempts=1,
        emit=lambda name, fields: None,
        pace=pace,
        token="a-token",
    )
    claims = scripts.key("claims")
    redis.client().hset(claims, ctx.job_id, ctx.token)
    try:
        yield ctx
    finally:
        redis.client().hdel(claims, ctx.job_id)
