"""The connection of the limits to Redis.

While Redis is unavailable, all requests are allowed: a lost limiter must not stop the chat, and accepted
messages are safe in the record.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from limits.storage import RedisStorage, storage_from_string

from queueing.api import redis

logger = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "buddy:limits"
#: Maximum seconds of a call to Redis: counting must not delay a request for long.
TIMEOUT = 1.0
#: Seconds for which an unavailable Redis is not called again.
SKIP_AFTER_FAILURE = 5.0

_lock = threading.Lock()
_skip_until: dict[str, float] = {}


def query(run: Callable[[RedisStorage], T], *, default: T) -> T:
    """Return what `run` returns, or `default` while Redis is unavailable."""
    url = settings.REDIS_URL
    if time.monotonic() < _skip_until.get(url, 0.0):
        return default
    try:
        return run(_storage(url))
    except redis.Unavailable as exc:
        logger.warning("Redis is unavailable (%s): requests are not limited until it is back", exc)
        _skip_until[url] = time.monotonic() + SKIP_AFTER_FAILURE
        return default


def _storage(url: str) -> RedisStorage:
    with _lock:  # a new connection to a cluster asks it for its nodes; once is enough
        return _connect(url)


@lru_cache(maxsize=4)
def _connect(url: str) -> Any:
    return storage_from_string(url, key_prefix=PREFIX, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
