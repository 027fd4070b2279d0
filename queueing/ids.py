"""Job ids: UUIDv7, so that they sort by the time they were made."""

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

_lock = threading.Lock()
_last = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, method 3): 48 bits of milliseconds, 12 bits of the millisecond's fraction.

    Ids made by one process strictly increase, even when the clock stands still or goes back; ids of
    equal rank in a Redis sorted set are ordered by their text, so this makes a queue first in, first out.
    """
    global _last
    ns = time.time_ns()
    stamp = (ns // 1_000_000 << 12) | (ns % 1_000_000 << 12) // 1_000_000
    with _lock:
        _last = stamp = max(stamp, _last + 1)
    return uuid.UUID(int=_layout(stamp) | secrets.randbits(62))


def first_id_at(moment: datetime) -> uuid.UUID:
    """The smallest id that a job made at `moment` (aware) can have: times become primary-key ranges."""
    ms = (moment - _EPOCH) // timedelta(milliseconds=1)  # in whole numbers: a float would round up
    return uuid.UUID(int=_layout(ms << 12))


def _layout(stamp: int) -> int:
    """`stamp` (48 + 12 bits) in its place, with version 7 and variant 10."""
    return (stamp >> 12) << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
