"""Run commands on redis-py's connections without the layers of its clients.

Those layers (pool, retries, telemetry) cost an idle process twice the time of Redis' answer. redis-py still
opens the connections, with passwords, TLS and sockets. A connection that breaks is dropped, and the caller
gets the error.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import hiredis
from redis.exceptions import ResponseError

#: Maximum number of connections of one event loop. With hundreds of jobs in flight, a call waits for one.
_MAX_CONNECTIONS = 32


class FastConnections:
    """The synchronous connections of a process, usable from any thread."""

    def __init__(self, pool: Any) -> None:
        self._make: Callable[[], Any] = lambda: pool.connection_class(**pool.connection_kwargs)
        self._idle: list[Any] = []

    def execute(self, *command: Any) -> Any:
        """Return the reply to `command`. Raise redis-py's errors."""
        connection = self._idle.pop() if self._idle else self._make()
        try:
            connection.send_packed_command([hiredis.pack_command(command)], check_health=False)
            reply = connection.read_response()
        except ResponseError:
            self._idle.append(connection)
            raise
        self._idle.append(connection)
        return reply


class AsyncFastConnections:
    """The asynchronous connections of one event loop."""

    def __init__(self, pool: Any, timeout: float) -> None:
        # One timeout for the whole call replaces redis-py's timeouts for sending and for reading.
        kwargs = pool.connection_kwargs | {"socket_timeout": None}
        self._make: Callable[[], Any] = lambda: pool.connection_class(**kwargs)
        self._timeout = timeout
        self._idle: list[Any] = []
        self._slots = asyncio.Semaphore(_MAX_CONNECTIONS)

    async def execute(self, *command: Any) -> Any:
        """Return the reply to `command`. Raise redis-py's errors, and TimeoutError."""
        async with self._slots:
            connection = self._idle.pop() if self._idle else self._make()
            try:
                async with asyncio.timeout(self._timeout):
                    await connection.send_packed_command([hiredis.pack_command(command)], check_health=False)
                    reply = await connection.read_response()
            except ResponseError:
                self._idle.append(connection)
                raise
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            self._idle.append(connection)
            return reply

    async def aclose(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)
