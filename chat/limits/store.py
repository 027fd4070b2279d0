"""The limits' connection to Redis. While Redis is away everything is let through: a lost limiter must
not stop the chat, and what is accepted is kept in the record."""

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
#: Seconds a call may take. Nobody should wait long for being counted.
TIMEOUT = 1.0
#: Seconds for which a Redis that did not answer is not asked again.
LEAVE_ALONE = 5.0

_lock = threading.Lock()
_left_alone_until: dict[str, float] = {}


def ask(question: Callable[[RedisStorage], T], *, otherwise: T) -> T:
    """What `question` finds out, or `otherwise` while Redis is away."""
    url = settings.REDIS_URL
    if time.monotonic() < _left_alone_until.get(url, 0.0):
        return otherwise
    try:
        return question(_storage(url))
    except redis.Unavailable as exc:
        logger.warning("Redis is away (%s): requests are not limited until it is back", exc)
        _left_alone_until[url] = time.monotonic() + LEAVE_ALONE
        return otherwise


def _storage(url: str) -> RedisStorage:
    with _lock:  # connecting to a cluster asks it for its nodes; once is enough
        return _connect(url)


@lru_cache(maxsize=4)
def _connect(url: str) -> Any:
    return storage_from_string(url, key_prefix=PREFIX, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
