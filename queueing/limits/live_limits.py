"""Apply limits that operators change while the queues run, and pauses.

on record   `LimitOverride` and `Pause`: these are in force, also after Redis lost its data
in Redis    the queue's `meta`, which every claim reads: `sync_queue` copies the record there

Every claim after `sync_queue` uses the new limits, in every worker of every cluster. Active jobs finish.
Optimistic locking: the writer reads the version (`overrides_version`) first and is refused if it changed
meanwhile, so an older snapshot never overwrites a newer one.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from queueing.conf import Limiter, QueueDef, get_conf, get_queue
from queueing.errors import BadValue
from queueing.models import LimitOverride, Pause
from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client, scripts

logger = logging.getLogger(__name__)

#: The limits that can be changed live, named like the fields of `QueueDef`.
NUMBERS = ("concurrency", "global_concurrency", "owner_concurrency")
NAMES = (*NUMBERS, "limiter")
#: Minimum by name (else 0), and maximum of all whole numbers.
_MINIMUM = {"concurrency": 1}
_MAXIMUM = 10_000


def effective(queue: str) -> QueueDef:
    """Return the definition of `queue` with the limits on record that are in force."""
    rows = LimitOverride.objects.filter(queue=queue).values_list("name", "value")
    return replace(get_queue(queue), **_read(dict(rows)))


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as `QueueDef` has them, without limits that this version of the program lacks."""
    read = {name: value for name, value in values.items() if name in NAMES}
    if read.get("limiter"):
        read["limiter"] = Limiter(*read["limiter"])
    return read


def validated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits as they are stored on record. Raise `BadValue` for the first wrong one."""
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
        starts, seconds = value
        seconds = float(seconds)
    except (TypeError, ValueError):
        raise BadValue(name, "expected two numbers, starts and seconds, or nothing for no limiter") from None
    if not 0.001 <= seconds <= 86_400:
        raise BadValue(name, f"the window must be 0.001 to 86,400 seconds, not {seconds:g}")
    return [_whole_number(name, starts, 1), seconds]


def _whole_number(name: str, value: Any, minimum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= _MAXIMUM:
        raise BadValue(name, f"expected a whole number from {minimum} to {_MAXIMUM:,}, not {value!r}")
    return value


def sync_queue(queue: str) -> None:
    """Copy what operators changed of `queue` from the record to Redis.

    Raises one of `redis_client.Unavailable`. The record is then applied when Redis is back, by
    `sync_all_queues`.
    """
    while True:
        version = redis_client.client().hget(*_version_field(queue)) or ""
        values = recorded_overrides()[queue]
        if redis_client.run(scripts.set_overrides(queue, values, version)) is not None:
            return


async def sync_all_queues(database: DatabaseThread) -> None:
    """Copy what operators changed of every queue to Redis, for writers that could not reach it.

    A queue that another writer changes meanwhile is left alone: what was read here may be older.
    """
    client, versions = redis_client.aclient(), {}
    for queue in get_conf().queues:
        versions[queue] = await client.hget(*_version_field(queue)) or ""
    for queue, values in (await database.run_sync(recorded_overrides)).items():
        if await redis_client.arun(scripts.set_overrides(queue, values, versions[queue])):
            logger.warning("%s: copied the operators' limits and pauses to Redis again", queue)


def _version_field(queue: str) -> tuple[str, str]:
    """Return the key and the field of the version that `set_overrides` expects."""
    return scripts.queue_key(queue, "meta"), "overrides_version"


def recorded_overrides() -> dict[str, dict[str, Any]]:
    """Return what operators changed of each queue: `paused`, and limits of `NAMES`."""
    found: dict[str, dict[str, Any]] = {name: {} for name in get_conf().queues}
    for queue, name, value in LimitOverride.objects.values_list("queue", "name", "value"):
        if queue in found:  # the rows of a queue that is no longer in the settings are kept
            found[queue] |= _read({name: value})
    for queue in Pause.objects.values_list("queue", flat=True):
        if queue in found:
            found[queue]["paused"] = True
    return found


async def worker_slots(queues: Iterable[str]) -> int:
    """Return the maximum number of active jobs of a worker of `queues`, by the limits that Redis has now."""
    conf = get_conf()
    if conf.slots:
        return conf.slots
    client, total = redis_client.aclient(), 0
    for name in queues:
        override = await client.hget(scripts.queue_key(name, "meta"), "concurrency")
        total += int(override or conf.queues[name].concurrency)
    return total
