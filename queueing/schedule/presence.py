"""The worker processes: write a heartbeat, and list the workers that have a fresh one.

The heartbeats have the time of Redis, so the clocks of the hosts may differ.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from queueing.conf import Limiter, QueueDef, get_conf

from . import redis_client, scripts
from .redis_client import ScriptCall

#: Seconds after which the heartbeat of a silent worker is removed, and a cluster without others is lost.
REMOVE_WORKER_AFTER = 60
#: Seconds after which a lost cluster is forgotten, if no other has taken its place.
FORGET_CLUSTER_AFTER = 24 * 60 * 60


#: Seconds that a worker has to read what an operator asks of it. It looks at each heartbeat.
_WISH_SECONDS = 60


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


class Presence(NamedTuple):
    """The workers that run, and the clusters that should."""

    workers: list[dict[str, Any]]
    """The heartbeats that are fresh, each with its `age` in seconds."""
    lost: list[dict[str, Any]]
    """The last heartbeats of clusters that ended without being stopped, one for each, with their `age`."""


def heartbeat(worker: str, fields: dict[str, Any]) -> ScriptCall[float]:
    """Write a worker's heartbeat. Replies with the time of Redis in seconds."""
    args = [worker, json.dumps(fields), REMOVE_WORKER_AFTER * 1000, FORGET_CLUSTER_AFTER * 1000]
    return ScriptCall("heartbeat", [scripts.key("workers")], args, lambda reply: int(reply) / 1000)


async def workers() -> list[dict[str, Any]]:
    """Return the workers that have a fresh heartbeat, each with the `age` of that in seconds."""
    return (await presence()).workers


async def presence() -> Presence:
    """Return the workers that have a fresh heartbeat, and the lost clusters."""
    return await redis_client.arun(_presence_call())


def _presence_call() -> ScriptCall[Presence]:
    return ScriptCall("workers", [scripts.key("workers")], [], _read_presence)


def _read_presence(reply: list[Any]) -> Presence:
    now, *texts = reply
    found = [json.loads(text) for text in texts]
    for worker in found:
        worker["age"] = round(max(0.0, now / 1000 - worker["at"]), 1)
    found.sort(key=lambda worker: worker["id"])
    fresh = [worker for worker in found if worker["age"] < get_conf().lease and not worker.get("gone")]
    return Presence(fresh, _lost(found))


def _lost(heartbeats: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the latest heartbeat of each cluster of which no worker has one that is kept."""
    latest: dict[str, dict[str, Any]] = {}
    for worker in sorted(heartbeats, key=lambda worker: -worker["age"]):
        latest[worker["id"].partition("/")[0]] = worker
    return [worker for worker in latest.values() if worker["age"] > REMOVE_WORKER_AFTER]


def own_limits() -> dict[str, list[Any]]:
    """Return the limits in the settings of this process, by queue, as a heartbeat has them."""
    return {queue.name: [*_plain_limits(queue)] for queue in get_conf().queues.values()}


def _plain_limits(queue: QueueDef) -> tuple[Any, ...]:
    limiter = queue.limiter and (queue.limiter.max, queue.limiter.duration)
    return queue.concurrency, queue.global_concurrency, queue.owner_concurrency, limiter


def limits_of_workers(queue: QueueDef, workers: list[dict[str, Any]]) -> list[QueueDef]:
    """Return the queue with the limits in the settings of the workers, once for each that differs.

    They are what runs: the environment of another process may differ.
    """
    found = []
    for worker in workers:
        limits = worker.get("limits", {}).get(queue.name)
        if limits and queue.name in worker.get("queues", (queue.name,)):  # older workers report neither
            concurrency, in_total, per_owner, limiter = limits
            one = replace(
                queue,
                concurrency=concurrency,
                global_concurrency=in_total,
                owner_concurrency=per_owner,
                limiter=Limiter(*limiter) if limiter else None,
            )
            if one not in found:
                found.append(one)
    return found


def read_workers() -> list[dict[str, Any]]:
    """Do `workers` in synchronous code."""
    return redis_client.run(_presence_call()).workers


async def workers_alive() -> int:
    """Return the number of workers that have a fresh heartbeat and receive notifications."""
    return sum(worker.get("listens", True) for worker in await workers())


def clusters_alive(queue: str) -> int:
    """Return the number of clusters with a worker that claims jobs of `queue` and is alive. Blocks."""
    return len({worker["cluster"] for worker in read_workers() if claims(worker, queue)})


def claims(worker: Mapping[str, Any], queue: str) -> bool:
    """Return whether a worker, by its heartbeat, claims jobs of this queue now. Older versions serve all."""
    return queue in worker.get("queues", (queue,)) and not worker.get("quiet")


async def leave_idle(channel: str) -> None:
    """Let no submission hand a job to the worker with this channel, until its next claim."""
    await redis_client.aclient().hdel(scripts.key("idle"), channel)


def send_quiet(worker: str, is_quiet: bool) -> bool:
    """Ask a worker to claim no jobs, or to claim again. Return False if it has no fresh heartbeat. Blocks."""
    if not any(found["id"] == worker for found in read_workers()):
        return False
    client = redis_client.client()
    client.set(_quiet_key(worker), int(is_quiet), ex=_WISH_SECONDS)
    client.publish(scripts.worker_channel(worker), "quiet:")
    return True


async def take_quiet(worker: str) -> bool | None:
    """Return what `send_quiet` last asked of this worker, once; None if nothing."""
    wish = await redis_client.aclient().getdel(_quiet_key(worker))
    return None if wish is None else wish == "1"


def _quiet_key(worker: str) -> str:
    return scripts.key(f"quiet:{worker}")


def forget_cluster(cluster: str) -> None:
    """Remove the heartbeats of a cluster that has stopped: it is not lost. Blocks."""
    with suppress(*redis_client.Unavailable):
        ids = redis_client.client().hkeys(scripts.key("workers"))
        if own := [worker for worker in ids if worker.partition("/")[0] == cluster]:
            redis_client.client().hdel(scripts.key("workers"), *own)
