"""What jobs need of a worker, for jobs whose worker could not do them.

During a deploy, workers with older and newer code run at the same time. A worker that claims a job which it
cannot do parks it under its need (park_unable.lua). Such a job costs no further claims: only workers that
meet the need claim it, at its place in line. Without such jobs a claim does nothing for them.
"""

import json
from typing import NamedTuple

from queueing.kinds import why_unable

from . import redis_client, scripts


class Need(NamedTuple):
    """What a worker must be able to do to run a job."""

    queue: str
    kind: str
    version: int
    arguments: list[str]
    """The names of the arguments, in order."""

    @property
    def is_met(self) -> bool:
        """Whether this process can do such jobs."""
        return not why_unable(self.kind, self.version, tuple(self.arguments))

    def as_json(self) -> str:
        """Return the text of which Redis makes the digest."""
        return json.dumps(self)


async def parked_needs() -> dict[str, Need]:
    """Return the needs for which jobs are parked, by digest. Raises one of `redis_client.Unavailable`."""
    stored = await redis_client.aclient().hgetall(scripts.key("needs"))
    return {digest: Need(*json.loads(text)) for digest, text in stored.items()}


async def jobs_parked(queue: str, digest: str) -> int:
    """Return the number of jobs that are parked for a need."""
    group = f"\x01{digest}"  # NEED in common.lua
    parked = scripts.queue_key(queue, "parked")
    return int(await redis_client.aclient().zlexcount(parked, f"[{group}\x1f", f"({group} "))
