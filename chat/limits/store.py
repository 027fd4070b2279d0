"""The connection of the limits to Redis.

While Redis is unavailable, messages are accepted without limits: a lost limiter must not stop the chat, and
accepted messages are safe in the record. Requests and tries of secrets are counted in each process.
"""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from limits.storage import RedisStorage

from queueing.api import redis

logger = logging.getLogger(__name__)

T = TypeVar("T")


def query(run: Callable[[RedisStorage], T], *, otherwise: Callable[[], T]) -> T:
    """Return what `run` returns, or what `otherwise` returns while Redis is unavailable."""
    try:
        return run(_connect(settings.REDIS_URL))
    except redis.Unavailable as exc:
        logger.warning(
            "Redis is unavailable (%s): until it is back, messages are not limited, "
            "and each process counts requests and sign-in attempts by itself",
            exc,
        )
        return otherwise()


@lru_cache(maxsize=4)
def _connect(url: str) -> Any:
    """Return a storage on the engine's connections, with its keys in the engine's slot of a cluster."""
    pool = redis.client().connection_pool
    return RedisStorage("redis://", connection_pool=pool, key_prefix=redis.app_key("limits"))
