"""List the running worker processes, by their heartbeats in Redis."""

import json
import time
from typing import Any

from queueing.conf import get_conf

from . import redis_client, scripts


async def workers() -> list[dict[str, Any]]:
    """Return the workers that have a fresh heartbeat, each with the `age` of that in seconds."""
    found = []
    for text in (await redis_client.aclient().hgetall(scripts.key("workers"))).values():
        worker = json.loads(text)
        worker["age"] = round(max(0.0, time.time() - worker["at"]), 1)
        if worker["age"] < get_conf().lease:
            found.append(worker)
    return sorted(found, key=lambda worker: worker["id"])


async def workers_alive() -> int:
    """Return the number of workers that have a fresh heartbeat."""
    return len(await workers())


async def clusters_alive() -> int:
    """Return the number of clusters that have a worker with a fresh heartbeat."""
    return len({worker["cluster"] for worker in await workers()})
