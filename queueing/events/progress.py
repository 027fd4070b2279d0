"""How far running jobs are: the latest that each said, kept in Redis for whoever looks later."""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from queueing.schedule import redis_client, scripts

logger = logging.getLogger(__name__)

#: Seconds for which it is kept.
_KEEP = 3600


class Step(NamedTuple):
    """What a run said of itself."""

    job_id: str
    run: int
    said: dict[str, Any]
    """{done, total, label}."""


async def keep(steps: Sequence[Step]) -> None:
    """Keep these in place of what was kept of their jobs; with Redis away they are lost, and come again."""
    try:
        pipeline = redis_client.aclient().pipeline(transaction=False)
        for step in steps:
            pipeline.set(_key(step.job_id), json.dumps([step.run, step.said]), ex=_KEEP)
        await pipeline.execute()
    except redis_client.Unavailable as exc:
        logger.warning("the progress of %d jobs is not kept: %s", len(steps), exc)


async def latest(job_ids: Iterable[str]) -> dict[str, Step]:
    """Of those of the jobs that said anything. It may be an earlier run's: look at `run`."""
    ids = list(job_ids)
    if not ids:
        return {}
    try:
        kept = await redis_client.aclient().mget([_key(job_id) for job_id in ids])
    except redis_client.Unavailable:
        return {}
    return {job_id: Step(job_id, *json.loads(text)) for job_id, text in zip(ids, kept, strict=True) if text}


def _key(job_id: str) -> str:
    return scripts.key(f"progress:{job_id}")
