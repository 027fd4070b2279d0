"""Backpressure: whether a queue takes one more job, and what its load is called."""

import time
from typing import NamedTuple

from queueing.conf import QueueDef
from queueing.errors import Rejected
from queueing.schedule import redis_client, scripts
from queueing.schedule.replies import Counts

NORMAL, THROTTLED, FULL = "normal", "throttled", "full"

#: Seconds for which, and share of the room for which, a look at a queue that has room is good enough for
#: jobs without an owner. It saves a submission every other round trip to Redis.
_ROOM_VALID_SECONDS, _ROOM_SHARE = 1.0, 0.1


class _Room(NamedTuple):
    """What the last look at a queue left to admit without another."""

    queue: QueueDef
    until: float
    left: int


_rooms: dict[str, _Room] = {}


def level(queue: QueueDef, unfinished: int) -> str:
    """`normal`; `throttled` from the soft limit; `full` from the hard limit."""
    if unfinished >= queue.hard_limit:
        return FULL
    return THROTTLED if unfinished >= queue.soft_limit else NORMAL


def admit(queue: QueueDef, owner: str, more: int = 1) -> None:
    """Raise `Rejected` when the queue cannot take `more` jobs of `owner`.

    Looks without reserving: submissions at the same moment may pass a limit together, by as many as
    they are. With Redis away everything is admitted, since what is accepted is kept in the record.
    """
    if not owner and _has_room(queue, more):
        return
    try:
        counts = redis_client.run(scripts.counts(queue.name, owner))
    except redis_client.Unavailable:
        return
    _check(queue, owner, more, counts)
    left = int((queue.soft_limit - counts.unfinished - more) * _ROOM_SHARE)
    _rooms[queue.name] = _Room(queue, time.monotonic() + _ROOM_VALID_SECONDS, left)


def _has_room(queue: QueueDef, more: int) -> bool:
    room = _rooms.get(queue.name)
    if room is None or room.queue is not queue or room.left < more or time.monotonic() > room.until:
        return False
    _rooms[queue.name] = room._replace(left=room.left - more)
    return True


def _check(queue: QueueDef, owner: str, more: int, counts: Counts) -> None:
    wait = _retry_after(queue, counts)
    if counts.unfinished + more > queue.hard_limit:
        raise Rejected("queue_full", f"The queue is full. Please try again in about {wait:.0f} s.", wait)
    if not owner:
        return
    limit = queue.owner_limit
    if level(queue, counts.unfinished) == THROTTLED:
        limit = min(limit or queue.throttled_owner, queue.throttled_owner)
    if limit and counts.owner_unfinished + more > limit:
        message = (
            f"You already have {counts.owner_unfinished} requests in line. Please wait for one to finish."
        )
        raise Rejected("owner_limit", message, wait)


def _retry_after(queue: QueueDef, counts: Counts) -> float:
    """Seconds after which trying again is reasonable: the time one slot takes, at most a minute."""
    if counts.paused:
        return 60.0
    if limiter := counts.under(queue).limiter:
        return min(60.0, limiter.duration / limiter.max)
    return max(5.0, min(60.0, counts.cooldown))
