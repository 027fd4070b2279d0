"""Limits that operators change while the queues run, and pauses.

on record   `Override` and `Pause`: what holds, whatever happens to Redis
in Redis    the queue's `meta`, where every claim reads it: `tell` makes it say what the record says

A claim made after `tell` keeps to the new limits, in every worker of every cluster; what runs, finishes.
For that, whoever tells looks who told last (`told`) before reading the record, and is refused if that has
changed since: what an older look found never takes the place of what a newer one did.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from queueing.conf import Limiter, QueueDef, get_conf, get_queue
from queueing.errors import BadValue
from queueing.models import LimitOverride, Pause
from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client, scripts

logger = logging.getLogger(__name__)

#: What can be changed live; the fields of `QueueDef` of the same names.
NUMBERS = ("concurrency", "global_concurrency", "owner_concurrency")
NAMES = (*NUMBERS, "limiter")
_MINIMUM = {"concurrency": 1}
_MAXIMUM = 10_000


def effective(queue: str) -> QueueDef:
    """The queue's definition with the limits that hold now, from the record."""
    rows = LimitOverride.objects.filter(queue=queue).values_list("name", "value")
    return replace(get_queue(queue), **_read(dict(rows)))


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    """As `QueueDef` has them; those of another version of the program are left out."""
    read = {name: value for name, value in values.items() if name in NAMES}
    if read.get("limiter"):
        read["limiter"] = Limiter(*read["limiter"])
    return read


def validated(values: Mapping[str, Any]) -> dict[str, Any]:
    """The limits as they are kept on record. Raises `BadValue` for the first that cannot be."""
    if not values:
        raise BadValue("limits", f"name at least one of {', '.join(NAMES)}")
    return {name: _checked(name, value) for name, value in values.items()}


def _checked(name: str, value: Any) -> Any:
    if name not in NAMES:
        raise BadValue(name, f"this limit cannot be changed live; these can: {', '.join(NAMES)}")
    if name != "limiter":
        return _whole_number(name, value, _MINIMUM.get(name, 0))
    if value is None:
        return None
    try:
        most, seconds = value
        seconds = float(seconds)
    except (TypeError, ValueError):
        raise BadValue(name, "expected two numbers, starts and seconds, or nothing for no limiter") from None
    if not 0.001 <= seconds <= 86_400:
        raise BadValue(name, f"a window takes from 0.001 to 86,400 seconds, not {seconds:g}")
    return [_whole_number(name, most, 1), seconds]


def _whole_number(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MAXIMUM:
        raise BadValue(name, f"expected a whole number from {least} to {_MAXIMUM:,}, not {value!r}")
    return value


def sync_queue(queue: str) -> None:
    """Make Redis say what the record says of the queue. Raises one of `redis.Unavailable` when it cannot.

    What is on record then holds as soon as a worker has reached Redis again: see `keep`.
    """
    news = None
    while news is None:  # somebody told of it meanwhile
        told = redis_client.client().hget(scripts.queue_key(queue, "meta"), "overrides_version") or ""
        news = redis_client.run(scripts.set_overrides(queue, recorded_overrides()[queue], told))


async def sync_all_queues(database: DatabaseThread) -> None:
    """The same for all queues, by the reconciler, for whoever could not tell Redis.

    A queue that somebody tells of meanwhile is left to them: what was read here may be older.
    """
    client, told = redis_client.aclient(), {}
    for queue in get_conf().queues:
        told[queue] = await client.hget(scripts.queue_key(queue, "meta"), "overrides_version") or ""
    for queue, live in (await database.run_sync(recorded_overrides)).items():
        if await redis_client.arun(scripts.set_overrides(queue, live, told[queue])):
            logger.warning("Redis was told anew what operators changed of %s", queue)


def recorded_overrides() -> dict[str, dict[str, Any]]:
    """For every queue what its `meta` should say: `paused`, and the names of `NAMES` that are changed."""
    live: dict[str, dict[str, Any]] = {name: {} for name in get_conf().queues}
    for queue, name, value in LimitOverride.objects.values_list("queue", "name", "value"):
        if queue in live:  # a queue that was taken out of the settings keeps its rows
            live[queue] |= _read({name: value})
    for queue in Pause.objects.values_list("queue", flat=True):
        if queue in live:
            live[queue]["paused"] = True
    return live


async def worker_slots() -> int:
    """How many jobs a worker process may hold at once, as Redis has the queues' limits now."""
    conf = get_conf()
    if conf.slots:
        return conf.slots
    client, total = redis_client.aclient(), 0
    for queue in conf.queues.values():
        total += int(
            await client.hget(scripts.queue_key(queue.name, "meta"), "concurrency") or queue.concurrency
        )
    return total
