"""What a Redis server says of itself, as far as the engine depends on it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from . import redis_client

#: The oldest version of Redis with all commands that the engine uses.
OLDEST_VERSION = (6, 2)


class ServerFacts(NamedTuple):
    """The state and the settings of a server. A managed Redis may hide some of them: they are then empty."""

    version: tuple[int, ...]
    eviction: str
    """Its `maxmemory-policy`. With any but `noeviction` it deletes keys when its memory is full."""
    used_memory: int
    max_memory: int
    """Bytes; 0 for no limit."""
    has_aof: bool


async def facts() -> ServerFacts:
    """Return the facts about the server of the running loop. Raises one of `redis_client.Unavailable`."""
    try:
        return _read(await redis_client.aclient().info())
    except ResponseError:  # it may not be asked
        return _read({})


def facts_sync() -> ServerFacts:
    """Return the facts, for synchronous code."""
    try:
        return _read(redis_client.client().info())
    except ResponseError:
        return _read({})


def _read(info: Mapping[str, Any]) -> ServerFacts:
    version = str(info.get("redis_version", ""))
    return ServerFacts(
        version=tuple(int(part) for part in version.split(".") if part.isdigit()),
        eviction=str(info.get("maxmemory_policy", "")),
        used_memory=int(info.get("used_memory", 0)),
        max_memory=int(info.get("maxmemory", 0)),
        has_aof=bool(info.get("aof_enabled", 1)),
    )
