"""Which of the needs of parked jobs this worker meets (schedule/needs.py)."""

from collections import defaultdict
from collections.abc import Collection

from queueing.schedule import needs


class Abilities:
    """The needs that this worker meets, read at every heartbeat and whenever jobs are parked for one."""

    def __init__(self, queues: Collection[str]) -> None:
        self._queues = queues
        self.digests: dict[str, list[str]] = {}
        """Queue -> digests of needs, as a claim takes them. Empty while no jobs are parked that it can do."""

    async def refresh(self) -> None:
        """Read the needs again. Raises one of `redis_client.Unavailable`."""
        found: dict[str, list[str]] = defaultdict(list)
        for digest, need in (await needs.parked_needs()).items():
            if need.queue in self._queues and need.is_met:
                found[need.queue].append(digest)
        self.digests = dict(found)
