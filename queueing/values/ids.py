"""Make job ids: UUIDv7, so that they sort by the time of their creation."""

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

_lock = threading.Lock()
_last = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(*, after: uuid.UUID | None = None) -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562, method 3): 48 bits of milliseconds, 12 bits of the millisecond's fraction.

    The ids of one process strictly increase, even when the clock stops or is set back. Redis orders members
    of equal score by their text, so a queue is first in, first out. With `after`, the id is also greater than
    that one, which another host may have made whose clock is ahead.
    """
    global _last
    ns = time.time_ns()
    stamp = (ns // 1_000_000 << 12) | (ns % 1_000_000 << 12) // 1_000_000
    with _lock:
        _last = stamp = max(stamp, _last + 1)
    if after:  # not kept in `_last`: one wrong clock would put all ids of all hosts ahead
        stamp = max(stamp, _stamp_of(after) + 1)
    return uuid.UUID(int=_layout(stamp) | secrets.randbits(62))


def first_id_at(moment: datetime) -> uuid.UUID:
    """Return the smallest id of a job made at `moment` (aware), to query a time as a range of ids."""
    ms = (moment - _EPOCH) // timedelta(milliseconds=1)  # in whole numbers, since a float could be rounded up
    return uuid.UUID(int=_layout(ms << 12))


def _stamp_of(made: uuid.UUID) -> int:
    return made.int >> 80 << 12 | (made.int >> 64 & 0xFFF)


def _layout(stamp: int) -> int:
    """Return `stamp` (48 + 12 bits) in its bits of a UUID, with version 7 and variant 10."""
    return (stamp >> 12) << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
