"""Run commands on redis-py's connections without the layers of its clients.

Those layers (pool, retries, telemetry) cost an idle process twice the time of Redis' answer.

A command is tried a second time, over a new connection, if its connection broke or the server refused it
because another server must run it. All scripts and commands of the engine can be repeated.
"""

import asyncio
import logging
from typing import Any

import hiredis
import redis
from redis.exceptions import ResponseError

from .connections import CALL_TIMEOUT, make_async_connection, make_connection
from .server import Server

logger = logging.getLogger(__name__)

#: Maximum number of connections of one event loop. With hundreds of jobs in flight, a call waits for one.
_MAX_CONNECTIONS = 32
#: Maximum number of unused connections that a process keeps for its threads.
_MAX_IDLE = 16


class FastConnections:
    """The synchronous connections of a process, usable from any thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[Any] = []

    def execute(self, *command: Any) -> Any:
        """Return the reply to `command`. Raise redis-py's errors."""
        return self.execute_many([command])[0]

    def execute_many(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """Return the replies to `commands`, in one round trip. The first error is raised."""
        packed = [b"".join(map(hiredis.pack_command, commands))]
        try:
            return self._execute(packed, len(commands))
        except (redis.ConnectionError, ResponseError) as exc:
            if not _may_repeat(exc, self._server):
                raise
        return self._execute(packed, len(commands))

    def send(self, commands: list[tuple[Any, ...]]) -> None:
        """Send commands without waiting for the replies, which the next call on the connection drops.

        Raise redis-py's errors when they cannot be sent. They are lost if the connection has just broken.
        """
        packed, connection = [b"".join(map(hiredis.pack_command, commands))], self._take()
        try:
            connection.send_packed_command(packed, check_health=False)
        except BaseException:
            connection.disconnect()
            raise
        connection.unread += len(commands)
        self._put_back(connection)

    def _take(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return make_connection(self._server)

    def _execute(self, packed: list[bytes], replies: int) -> list[Any]:
        connection = self._take()
        try:
            connection.send_packed_command(packed, check_health=False)
            _drop_unread(connection)
            reply = [connection.read_response() for _ in range(replies)]
        except ResponseError:
            if replies == 1:
                self._put_back(connection)
            else:
                connection.disconnect()
            raise
        except BaseException:
            connection.disconnect()
            raise
        self._put_back(connection)
        return reply

    def _put_back(self, connection: Any) -> None:
        if len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.disconnect()


class AsyncFastConnections:
    """The asynchronous connections of one event loop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[Any] = []
        self._slots = asyncio.Semaphore(_MAX_CONNECTIONS)

    async def execute(self, *command: Any) -> Any:
        """Return the reply to `command`. Raise redis-py's errors, and TimeoutError."""
        return (await self.execute_many([command]))[0]

    async def execute_many(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """Return the replies to `commands`, in one round trip. The first error is raised."""
        packed = [b"".join(map(hiredis.pack_command, commands))]
        try:
            return await self._execute(packed, len(commands))
        except (redis.ConnectionError, ResponseError) as exc:
            if not _may_repeat(exc, self._server):
                raise
        return await self._execute(packed, len(commands))

    async def _execute(self, packed: list[bytes], replies: int) -> list[Any]:
        async with self._slots:
            # One timeout for the whole call replaces redis-py's timeouts for sending and for reading.
            connection = (
                self._idle.pop() if self._idle else make_async_connection(self._server, socket_timeout=None)
            )
            try:
                async with asyncio.timeout(CALL_TIMEOUT):
                    await connection.send_packed_command(packed, check_health=False)
                    reply = [await connection.read_response() for _ in range(replies)]
            except ResponseError:
                if replies == 1:
                    self._idle.append(connection)
                else:
                    await connection.disconnect(nowait=True)
                raise
            except TimeoutError as exc:
                await connection.disconnect(nowait=True)
                self._server.lost(redis.TimeoutError(f"no answer within {CALL_TIMEOUT:g} s"))
                raise redis.TimeoutError(f"no answer within {CALL_TIMEOUT:g} s") from exc
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            self._idle.append(connection)
            return reply

    async def aclose(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)


def _drop_unread(connection: Any) -> None:
    while connection.unread:
        connection.unread -= 1
        try:
            connection.read_response()
        except ResponseError as exc:
            logger.warning("Redis refused what was sent: %s", exc)


def _may_repeat(error: Exception, server: Server) -> bool:
    """Return whether to try a command again, over a new connection."""
    if server.is_wrong(error):
        return True
    if server.is_unavailable or not isinstance(error, redis.ConnectionError):
        return False
    server.outdate()  # the other idle connections broke with this one
    return True
