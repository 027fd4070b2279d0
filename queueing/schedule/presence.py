"""The worker processes: write a heartbeat, and list the workers that have a fresh one.

The heartbeats have the time of Redis, so the clocks of the hosts may differ.
"""

import json
import time
from typing import Any

from queueing.conf import get_conf

from . import redis_client, scripts
from .redis_client import ScriptCall

#: Milliseconds after which the heartbeat of a silent worker is removed.
_REMOVE_WORKER_AFTER_MS = 60_000


class RedisClock:
    """The clock of Redis as this process knows it from its last heartbeat."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        """Seconds by which it is ahead of `time.monotonic()`."""

    def set(self, now: float) -> None:
        """Take the time (seconds since 1970) that Redis has just returned."""
        self._ahead = now - time.monotonic()

    def age(self, moment: float) -> float:
        """Return the seconds since `moment`, a time of Redis; 0 before the first heartbeat."""
        return 0.0 if self._ahead is None else max(0.0, time.monotonic() + self._ahead - moment)


def heartbeat(worker: str, fields: dict[str, Any]) -> ScriptCall[float]:
    """Write a worker's heartbeat. Replies with the time of Redis in seconds."""
    args = [worker, json.dumps(fields), _REMOVE_WORKER_AFTER_MS]
    return ScriptCall("heartbeat", [scripts.key("workers")], args, lambda reply: int(reply) / 1000)


async def workers() -> list[dict[str, Any]]:
    """Return the workers that have a fresh heartbeat, each with the `age` of that in seconds."""
    return await redis_client.arun(workers_call())


def workers_call() -> ScriptCall[list[dict[str, Any]]]:
    """Read the workers that have a fresh heartbeat, each with the `age` of that in seconds."""
    return ScriptCall("workers", [scripts.key("workers")], [], _read_workers)


def _read_workers(reply: list[Any]) -> list[dict[str, Any]]:
    now, *texts = reply
    found = []
    for text in texts:
        worker = json.loads(text)
        worker["age"] = round(max(0.0, now / 1000 - worker["at"]), 1)
        if worker["age"] < get_conf().lease:
            found.append(worker)
    return sorted(found, key=lambda worker: worker["id"])


async def workers_alive() -> int:
    """Return the number of workers that have a fresh heartbeat and receive notifications."""
    return sum(worker.get("listens", True) for worker in await workers())


def clusters_alive() -> int:
    """Return the number of clusters that have a worker with a fresh heartbeat. Blocks."""
    return len({worker["cluster"] for worker in redis_client.run(workers_call())})
