"""Counts in the memory of this process, for limits that hold also while Redis is unavailable."""

import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from threading import Lock

from limits import RateLimitItem

#: The maximum number of keys; the least recently counted are dropped first.
_MAX_KEYS = 10_000

_times: OrderedDict[str, deque[float]] = OrderedDict()
_lock = Lock()


def count(keys: Sequence[tuple[str, RateLimitItem]]) -> float:
    """Count one use of all keys, each under its limit, and return 0.

    Return the seconds to wait if one of the limits is reached; then nothing is counted.
    """
    now = time.monotonic()
    with _lock:
        wait = max((_wait(key, item, now) for key, item in keys), default=0.0)
        if wait <= 0:
            for key, item in keys:
                _add(f"{key}:{item.key_for()}", now)
        return max(0.0, wait)


def _wait(key: str, item: RateLimitItem, now: float) -> float:
    times = _times.get(f"{key}:{item.key_for()}", deque())
    while times and times[0] <= now - item.get_expiry():
        times.popleft()
    return times[-item.amount] + item.get_expiry() - now if len(times) >= item.amount else 0.0


def _add(key: str, now: float) -> None:
    _times.setdefault(key, deque()).append(now)
    _times.move_to_end(key)
    if len(_times) > _MAX_KEYS:
        _times.popitem(last=False)


def clear() -> None:
    """Forget all counts."""
    with _lock:
        _times.clear()
