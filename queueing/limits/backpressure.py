"""Backpressure: decide whether a queue accepts another job, and name the level of its load."""

import time
from typing import NamedTuple

from queueing import texts
from queueing.conf import QueueDef, get_conf
from queueing.errors import Rejected
from queueing.schedule import redis_client, scripts
from queueing.schedule.replies import Counts

NORMAL, THROTTLED, FULL = "normal", "throttled", "full"

#: Jobs without an owner are admitted by the last counts of the queue for this many seconds, and up to this
#: share of the room found then. It saves such submissions every other round trip to Redis.
_ROOM_VALID_SECONDS, _ROOM_SHARE = 1.0, 0.1
#: Seconds after which a refused submitter is asked to try again, at least and at most.
_MIN_RETRY_AFTER, _MAX_RETRY_AFTER = 5.0, 60.0


class _Room(NamedTuple):
    """The jobs of a queue that may be admitted without reading its counts again."""

    queue: QueueDef
    until: float
    """The time on the monotonic clock until which `left` is used."""
    left: int


_rooms: dict[str, _Room] = {}


def level(queue: QueueDef, unfinished: int) -> str:
    """Return `normal`, `throttled` from the soft limit on, or `full` from the hard limit on."""
    if unfinished >= queue.hard_limit:
        return FULL
    return THROTTLED if unfinished >= queue.soft_limit else NORMAL


def admit(queue: QueueDef, owner: str, more: int = 1, *, share: str = "") -> None:
    """Raise `Rejected` if the queue cannot accept `more` jobs of `owner`, who may have a share with others.

    Nothing is reserved: concurrent submissions may exceed a limit together, by their own number. While Redis
    is unavailable everything is admitted, since the record keeps what is accepted.
    """
    if not (owner or share) and _has_room(queue, more):
        return
    try:
        counts = redis_client.run(scripts.counts(queue.name, owner, share=share))
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
        raise Rejected("queue_full", texts.queue_full(wait), wait)
    limit = queue.owner_limit
    if level(queue, counts.unfinished) == THROTTLED:
        limit = min(limit or queue.throttled_owner, queue.throttled_owner)
    if owner and limit and counts.owner_unfinished + more > limit:
        raise Rejected("owner_limit", texts.owner_limit(counts.owner_unfinished), wait)
    if limit and counts.share_unfinished + more > limit * get_conf().owners_per_share:
        raise Rejected("owner_limit", texts.share_limit(counts.share_unfinished), wait)


def _retry_after(queue: QueueDef, counts: Counts) -> float:
    """Return the seconds until another try is reasonable, from the pause, the limiter or the cooldown."""
    if counts.paused:
        return _MAX_RETRY_AFTER
    if limiter := counts.under(queue).limiter:
        return min(_MAX_RETRY_AFTER, limiter.duration / limiter.max)
    return max(_MIN_RETRY_AFTER, min(_MAX_RETRY_AFTER, counts.cooldown))
