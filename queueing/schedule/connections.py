"""redis-py's connections, which find the server when they connect and report its errors to `Server`.

A connection connects again before its next use when the server was unavailable, has moved, or became a
replica.
"""

import asyncio
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from .server import Server

if TYPE_CHECKING:
    _Connection = redis.Connection
    _AsyncConnection = redis.asyncio.Connection
else:
    _Connection = _AsyncConnection = object

#: Seconds after which a call fails. The server then counts as unavailable.
CALL_TIMEOUT = 2.0
#: Seconds without use after which a connection is tested before its next use.
_TEST_AFTER = 30


class _Connecting(_Connection):
    """What the synchronous connections add to redis-py's."""

    def __init__(self, *, server: Server, **options: Any) -> None:
        self.server, self.generation = server, -1
        self.unread = 0
        """Replies that will come and no caller waits for."""
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        """Connect to where the server is now."""
        if self.is_connected:
            return
        self.unread = 0
        self.server.check()
        self.generation, began = self.server.generation, time.monotonic()
        try:
            if address := self.server.address():
                self.host, self.port = address
            super().connect_check_health(*args, **kwargs)
        except (redis.RedisError, OSError) as exc:
            self.server.failed_to_connect(exc, time.monotonic() - began)
            raise

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send a command, over a new connection if this one is outdated."""
        self.server.check()
        if self.generation != self.server.generation:
            self.disconnect()  # type: ignore[no-untyped-call]
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """Return the reply."""
        try:
            return super().read_response(*args, **kwargs)
        except redis.TimeoutError as exc:
            self.server.lost(exc)
            raise
        except (redis.ConnectionError, redis.ResponseError) as exc:
            if self.generation == self.server.generation and self.server.is_wrong(exc):
                self.server.outdate()
            raise


class _AsyncConnecting(_AsyncConnection):
    """What the asynchronous connections add to redis-py's."""

    def __init__(self, *, server: Server, **options: Any) -> None:
        self.server, self.generation = server, -1
        super().__init__(**options)

    async def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        """Connect to where the server is now."""
        if self.is_connected:
            return
        self.server.check()
        self.generation, began = self.server.generation, time.monotonic()
        try:
            address = self.server.known_address
            if address or (address := await asyncio.to_thread(self.server.address)):
                self.host, self.port = address
            await super().connect_check_health(*args, **kwargs)
        except (redis.RedisError, OSError) as exc:
            self.server.failed_to_connect(exc, time.monotonic() - began)
            raise

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send a command, over a new connection if this one is outdated."""
        self.server.check()
        if self.generation != self.server.generation:
            await self.disconnect(nowait=True)
        await super().send_packed_command(command, check_health)

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """Return the reply."""
        try:
            return await super().read_response(*args, **kwargs)
        except redis.TimeoutError as exc:
            self.server.lost(exc)
            raise
        except (redis.ConnectionError, redis.ResponseError) as exc:
            if self.generation == self.server.generation and self.server.is_wrong(exc):
                self.server.outdate()
            raise


@cache
def _subclass(mixin: Any, base: Any) -> Any:
    return type(base.__name__, (mixin, base), {})


def make_connection(server: Server, **options: Any) -> Any:
    """Return a synchronous connection, which connects when it is used."""
    base: Any = server.url.connection_class
    return _subclass(_Connecting, base)(**_options(server) | options)


def make_async_connection(server: Server, **options: Any) -> Any:
    """Return an asynchronous connection, which connects when it is used."""
    base = getattr(redis.asyncio, server.url.connection_class.__name__)
    return _subclass(_AsyncConnecting, base)(**_options(server) | options)


async def make_subscriber(server: Server) -> Any:
    """Return a connection for subscriptions, to where the server is now.

    It never connects a second time, since it would then have no subscriptions.
    """
    base = getattr(redis.asyncio, server.url.connection_class.__name__)
    address = server.known_address or await asyncio.to_thread(server.subscription_address)
    place = {"host": address[0], "port": address[1]} if address else {}
    options = {name: value for name, value in _options(server).items() if name != "server"}
    return base(**options | place | {"protocol": 2, "decode_responses": False, "health_check_interval": 0})


def pool_options(server: Server, *, asynchronous: bool) -> dict[str, Any]:
    """Return the arguments of one of redis-py's pools."""
    name = server.url.connection_class.__name__
    base = getattr(redis.asyncio if asynchronous else redis, name)
    options = _options(server)
    options["connection_class"] = _subclass(_AsyncConnecting if asynchronous else _Connecting, base)
    options["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    return options


def _options(server: Server) -> dict[str, Any]:
    return {
        "server": server,
        "decode_responses": True,
        "socket_timeout": CALL_TIMEOUT,
        "socket_connect_timeout": CALL_TIMEOUT,
        "health_check_interval": _TEST_AFTER,
        # A connection that broke while it was unused is made again, once. Other errors are the caller's.
        "retry": Retry(NoBackoff(), 1, (redis.ConnectionError,)),
        **server.url.options,
    }
