"""Connect to Redis, and run the schedule's scripts there.

`scripts/` describes each move as a `ScriptCall`. `run` and `arun` execute it, so that synchronous and
asynchronous callers share one description.
"""

import asyncio
import hashlib
import math
import os
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import redis
import redis.asyncio
from redis.exceptions import InvalidResponse, NoScriptError, RedisClusterException

from queueing.conf import get_conf

from .fast_connection import AsyncFastConnections, FastConnections

T = TypeVar("T")

#: The errors of a Redis that is unreachable, starting or full, or whose replies cannot be read.
Unavailable = (redis.RedisError, RedisClusterException, OSError)

_LUA = Path(__file__).parent / "lua"
#: Seconds after which a call fails as unavailable.
_CALL_TIMEOUT = 5.0
#: Maximum seconds for closing the connections.
_CLOSE_TIMEOUT = 1.0
#: Maximum number of connections of one event loop.
_MAX_CONNECTIONS = 32


@dataclass(frozen=True)
class ScriptCall(Generic[T]):
    """One script with its keys and arguments, and the function that reads its reply."""

    script: str
    keys: list[str]
    args: list[Any]
    read: Callable[[Any], T]


@cache
def script_source(script: str) -> str:
    """Return the text of `lua/<script>.lua`, preceded by the functions that it shares with others."""
    shared = ("common", "claim_shared") if script in ("claim", "count_late_start", "submit") else ("common",)
    return "\n".join((_LUA / f"{name}.lua").read_text() for name in (*shared, script))


@cache
def _sha(script: str) -> str:
    return hashlib.sha1(script_source(script).encode(), usedforsecurity=False).hexdigest()


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_timeout": _CALL_TIMEOUT,
        "socket_connect_timeout": _CALL_TIMEOUT,
        "health_check_interval": 30,
    }


_sync: dict[tuple[int, str], tuple[Any, FastConnections | None]] = {}
_async: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Any, AsyncFastConnections | None]]"
_async = weakref.WeakKeyDictionary()


def client() -> Any:
    """Return this process's synchronous client. A forked process gets its own."""
    return _sync_connections()[0]


def _sync_connections() -> tuple[Any, FastConnections | None]:
    key = (os.getpid(), get_conf().redis_url)
    if key not in _sync:
        found = _connect(redis, key[1])
        _sync[key] = found, None if _is_cluster(key[1]) else FastConnections(found.connection_pool)
    return _sync[key]


def aclient() -> Any:
    """Return the running loop's asynchronous client."""
    return _async_connections()[0]


def _async_connections() -> tuple[Any, AsyncFastConnections | None]:
    loop = asyncio.get_running_loop()
    if loop not in _async:
        url = get_conf().redis_url
        found = _connect(redis.asyncio, url)
        _async[loop] = (
            found,
            None if _is_cluster(url) else AsyncFastConnections(found.connection_pool, _CALL_TIMEOUT),
        )
    return _async[loop]


def _is_cluster(url: str) -> bool:
    return url.startswith("redis+cluster://")


def _connect(library: Any, url: str) -> Any:
    """Return a client for `url`: of a Redis Cluster for `redis+cluster://`, else as redis-py reads it."""
    if _is_cluster(url):
        url = url.replace("redis+cluster://", "redis://", 1)
        cluster = redis.cluster if library is redis else redis.asyncio.cluster
        options = _options()
        options.pop("health_check_interval")
        return cluster.RedisCluster.from_url(url, **options)
    if library is redis:
        return redis.Redis.from_url(url, **_options())
    # With hundreds of jobs in flight, a call waits for a free connection instead of failing.
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url, max_connections=_MAX_CONNECTIONS, timeout=None, **_options()
    )
    return redis.asyncio.Redis.from_pool(pool)


async def listen(*channels: str) -> AsyncGenerator[str, None]:
    """Yield an empty text once subscribed to `channels`, then every message, without end.

    Every node of a Redis Cluster receives all messages, so one connection is enough. Raises one of
    `Unavailable`.
    """
    one_node = get_conf().redis_url.replace("redis+cluster://", "redis://", 1)
    pool = redis.asyncio.ConnectionPool.from_url(one_node, **_options())
    connection = pool.connection_class(**pool.connection_kwargs | {"protocol": 2})
    try:
        await connection.send_command("SUBSCRIBE", *channels)
        while True:
            kind, _, text = await connection.read_response(timeout=math.inf)
            yield "" if kind == "subscribe" else text
    finally:
        await connection.disconnect(nowait=True)


async def aclose() -> None:
    """Close the running loop's client. A later call makes a new one."""
    found, fast = _async.pop(asyncio.get_running_loop(), (None, None))
    if fast is not None:
        await fast.aclose()
    if found is not None:
        with suppress(TimeoutError):  # a connection that was cancelled while it was made may never close
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await found.aclose()


def run(call: ScriptCall[T]) -> T:
    """Execute `call` and return its reply. Raises one of `Unavailable`."""
    with _malformed_reply_is_unavailable(call.script):
        found, fast = _sync_connections()
        rest = (len(call.keys), *call.keys, *call.args)
        try:
            return call.read(_evalsha(fast, found, _sha(call.script), rest))
        except NoScriptError:
            return call.read(found.eval(script_source(call.script), *rest))


def _evalsha(fast: FastConnections | None, client: Any, sha: str, rest: tuple[Any, ...]) -> Any:
    """Run the cached script. If the fast connection breaks, redis-py's client connects again and retries."""
    if fast:
        with suppress(redis.ConnectionError):
            return fast.execute("EVALSHA", sha, *rest)
    return client.evalsha(sha, *rest)


async def arun(call: ScriptCall[T]) -> T:
    """Execute `call` on the running loop and return its reply. Raises one of `Unavailable`."""
    with _malformed_reply_is_unavailable(call.script):
        found, fast = _async_connections()
        rest = (len(call.keys), *call.keys, *call.args)
        try:
            return call.read(await _aevalsha(fast, found, _sha(call.script), rest))
        except NoScriptError:
            return call.read(await found.eval(script_source(call.script), *rest))


async def _aevalsha(fast: AsyncFastConnections | None, client: Any, sha: str, rest: tuple[Any, ...]) -> Any:
    if fast:
        with suppress(redis.ConnectionError):
            return await fast.execute("EVALSHA", sha, *rest)
    return await client.evalsha(sha, *rest)


@contextmanager
def _malformed_reply_is_unavailable(script: str) -> Iterator[None]:
    """Raise `InvalidResponse`, one of `Unavailable`, for replies that neither we nor redis-py can read."""
    try:
        yield
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as exc:
        raise InvalidResponse(f"{script}: the reply cannot be read ({exc!r}). Is this Redis?") from exc
