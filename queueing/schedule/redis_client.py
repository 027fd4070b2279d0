"""Connect to Redis, and run the schedule's scripts there.

`scripts/` describes each move as a `ScriptCall`. `run` and `arun` execute it, so that synchronous and
asynchronous callers share one description.
"""

import asyncio
import hashlib
import os
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import redis
from redis.exceptions import InvalidResponse, NoScriptError

from queueing.conf import get_conf

from .clients import make_async_client, make_client
from .fast_connection import AsyncFastConnections, FastConnections
from .server import server

T = TypeVar("T")

#: The errors of a Redis that is unreachable, starting or full, or whose replies cannot be read.
Unavailable = (redis.RedisError, OSError)
#: Those of them that every call would get now.
Unreachable = (redis.ConnectionError, redis.TimeoutError, OSError)

#: The scripts that use claim_shared.lua.
_CLAIMING = ("claim", "claim_suspect", "count_late_start", "submit")
_LUA = Path(__file__).parent / "lua"
#: Maximum seconds for closing the connections.
_CLOSE_TIMEOUT = 1.0


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
    shared = ("common", "claim_shared") if script in _CLAIMING else ("common",)
    return "\n".join((_LUA / f"{name}.lua").read_text() for name in (*shared, script))


@cache
def _sha(script: str) -> str:
    return hashlib.sha1(script_source(script).encode(), usedforsecurity=False).hexdigest()


_sync: dict[str, tuple[Any, FastConnections]] = {}
os.register_at_fork(after_in_child=_sync.clear)
_async: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopConnections]" = weakref.WeakKeyDictionary()


def client() -> Any:
    """Return this process's synchronous client, usable from any thread. A forked process gets its own."""
    return _sync_connections()[0]


def _sync_connections() -> tuple[Any, FastConnections]:
    url = get_conf().redis_url
    if url not in _sync:
        _sync[url] = make_client(server(url)), FastConnections(server(url))
    return _sync[url]


def aclient() -> Any:
    """Return the running loop's asynchronous client."""
    return _loop_connections().client


def fast() -> AsyncFastConnections:
    """Return the running loop's connections for commands without a client's layers."""
    return _loop_connections().fast


class _LoopConnections:
    """The connections of one event loop. They are closed when the loop ends."""

    def __init__(self) -> None:
        self.url = get_conf().redis_url
        self.client = make_async_client(server(self.url))
        self.fast = AsyncFastConnections(server(self.url))
        self.closer = closes_with_loop(self._aclose)

    async def _aclose(self) -> None:
        await self.fast.aclose()
        with suppress(TimeoutError):  # a connection that was cancelled while it was made may never close
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self.client.aclose()


def _loop_connections() -> _LoopConnections:
    loop = asyncio.get_running_loop()
    found = _async.get(loop)
    if found is None or found.url != get_conf().redis_url:
        found = _async[loop] = _LoopConnections()
    return found


def closes_with_loop(close: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    """Return a generator that calls `close` when it is closed, at the latest when the running loop ends.

    `asyncio.run` closes the unfinished asynchronous generators of its loop. Keep a reference to it.
    """

    async def generator() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await close()

    found = generator()
    with suppress(StopIteration):
        found.__anext__().send(None)
    return found


async def aclose() -> None:
    """Close the running loop's connections. A later call makes new ones."""
    if found := _async.pop(asyncio.get_running_loop(), None):
        await found.closer.aclose()


def run(call: ScriptCall[T]) -> T:
    """Execute `call` and return its reply. Raises one of `Unavailable`."""
    found: T = run_many([call])[0]
    return found


def send_commands(commands: list[tuple[Any, ...]]) -> None:
    """Send plain commands, and do not wait for Redis. Raises one of `Unavailable`."""
    _sync_connections()[1].send(commands)


def run_commands(commands: list[tuple[Any, ...]]) -> list[Any]:
    """Execute plain commands in one round trip and return their replies. Raises one of `Unavailable`."""
    return _sync_connections()[1].execute_many(commands)


async def arun_commands(commands: list[tuple[Any, ...]]) -> list[Any]:
    """Do what `run_commands` does, on the running event loop."""
    return await fast().execute_many(commands)


def run_many(calls: Sequence[ScriptCall[Any]]) -> list[Any]:
    """Execute `calls` in order, in one round trip, and return their replies. Raises one of `Unavailable`."""
    with _malformed_reply_is_unavailable(calls[0].script):
        execute = _sync_connections()[1].execute_many
        try:
            replies = execute(_by_digest(calls))
        except NoScriptError:
            replies = execute(_by_source(calls))
        return _read(calls, replies)


async def arun(call: ScriptCall[T]) -> T:
    """Execute `call` on the running loop and return its reply. Raises one of `Unavailable`."""
    found: T = (await arun_many([call]))[0]
    return found


async def arun_many(calls: Sequence[ScriptCall[Any]]) -> list[Any]:
    """Execute `calls` in order, in one round trip, and return their replies. Raises one of `Unavailable`."""
    with _malformed_reply_is_unavailable(calls[0].script):
        execute = fast().execute_many
        try:
            replies = await execute(_by_digest(calls))
        except NoScriptError:
            replies = await execute(_by_source(calls))
        return _read(calls, replies)


def _by_digest(calls: Sequence[ScriptCall[Any]]) -> list[tuple[Any, ...]]:
    return [("EVALSHA", _sha(call.script), len(call.keys), *call.keys, *call.args) for call in calls]


def _by_source(calls: Sequence[ScriptCall[Any]]) -> list[tuple[Any, ...]]:
    return [("EVAL", script_source(call.script), len(call.keys), *call.keys, *call.args) for call in calls]


def _read(calls: Sequence[ScriptCall[Any]], replies: list[Any]) -> list[Any]:
    return [call.read(reply) for call, reply in zip(calls, replies, strict=True)]


@contextmanager
def _malformed_reply_is_unavailable(script: str) -> Iterator[None]:
    """Raise `InvalidResponse`, one of `Unavailable`, for replies that neither we nor redis-py can read."""
    try:
        yield
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as exc:
        raise InvalidResponse(f"{script}: the reply cannot be read ({exc!r}). Is this Redis?") from exc
