"""The latest progress of active jobs, stored in Redis for clients that connect later."""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from queueing.schedule import redis_client, scripts

logger = logging.getLogger(__name__)

#: Seconds that progress is stored.
_TTL = 3600


class Progress(NamedTuple):
    """The progress that one run of a job reported last."""

    job_id: str
    run: int
    fields: dict[str, Any]
    """{done, total, label}."""
    token: str = ""
    """The token of the run's claim, which it needs to be stored."""


async def store(items: Sequence[Progress]) -> None:
    """Replace the stored progress of these jobs. Without Redis it is lost until the next report."""
    try:
        await redis_client.arun(scripts.while_claimed([_write_of(item) for item in items]))
    except redis_client.Unavailable as exc:
        logger.warning("the progress of %d jobs was not stored: %s", len(items), exc)


def _write_of(item: Progress) -> scripts.RunWrite:
    value = json.dumps([item.run, item.fields])
    return scripts.RunWrite(item.job_id, item.token, [("SET", progress_key(item.job_id), value, "EX", _TTL)])


async def latest(job_ids: Iterable[str]) -> dict[str, Progress]:
    """Return the stored progress by job id. It may be that of an earlier run: compare `run`."""
    ids = list(job_ids)
    if not ids:
        return {}
    try:
        stored = await redis_client.aclient().mget([progress_key(job_id) for job_id in ids])
    except redis_client.Unavailable:
        return {}
    return {
        job_id: Progress(job_id, *json.loads(text)) for job_id, text in zip(ids, stored, strict=True) if text
    }


def progress_key(job_id: str) -> str:
    """Return the key of a job's progress."""
    return scripts.key(f"progress:{job_id}")
