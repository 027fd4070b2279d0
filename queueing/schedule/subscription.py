"""A subscription to channels of Redis. Its connection is replaced when it is broken, silent or outdated.

A connection can die without a sign: its network path drops everything, or its server hangs. So the server of
a silent connection is asked for an answer, and without an answer the connection is replaced. Messages sent
meanwhile are lost. `on_connect` is called after each new connection, so that its caller can catch up.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import hiredis
import redis
import redis.asyncio

from .connections import CALL_TIMEOUT, make_subscriber
from .server import Server

logger = logging.getLogger(__name__)

#: Seconds of silence after which the server is asked for an answer, and seconds that it has to give one.
_PING_AFTER = _ANSWER_WITHIN = 2.0
#: Bytes that are read at a time.
_READ_SIZE = 64 * 1024
#: Seconds until the next attempt to connect.
_RETRY_DELAY = 0.5


class Subscription:
    """Some channels. `run` listens to them without end; it belongs to the event loop that calls it."""

    def __init__(
        self,
        server: Server,
        on_message: Callable[[str, bytes], None],
        on_connect: Callable[[], None] = lambda: None,
    ) -> None:
        self.heard_at = 0.0
        """When the server last proved that it is there (`time.monotonic`); 0 while it is not."""
        self._failing = False
        """Whether the last attempt to connect failed."""
        self._server = server
        self._on_message = on_message
        self._on_connect = on_connect
        self._channels: dict[str, asyncio.Event] = {}
        """Channel -> set once there is nothing to wait for: it is confirmed, or Redis is unavailable."""
        self._unconfirmed: set[str] = set()
        self._connection: Any = None

    async def add(self, channel: str) -> None:
        """Subscribe to a channel, and wait until the server has confirmed it, but never long.

        While Redis is unavailable it is subscribed to as soon as there is a connection.
        """
        if channel not in self._channels:
            self._channels[channel] = asyncio.Event()
            self._unconfirmed.add(channel)
            if self._failing:
                self._channels[channel].set()
            await self._send("SUBSCRIBE", channel)
        with suppress(TimeoutError, KeyError):  # it was discarded meanwhile
            async with asyncio.timeout(CALL_TIMEOUT):
                await self._channels[channel].wait()

    async def discard(self, channel: str) -> None:
        """Unsubscribe from a channel."""
        self._unconfirmed.discard(channel)
        if self._channels.pop(channel, None):
            await self._send("UNSUBSCRIBE", channel)

    async def _send(self, *command: str) -> None:
        """Send a command. If the connection is broken, the next one subscribes to all channels."""
        connection = self._connection
        if connection is None or not connection.is_connected:
            return
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                await connection.send_command(*command, check_health=False)
        except (redis.RedisError, OSError):
            await connection.disconnect(nowait=True)

    async def run(self) -> None:
        """Listen forever."""
        while True:
            try:
                await self._listen()
            except (redis.RedisError, OSError) as exc:
                if not self._failing:
                    logger.warning("a subscription of Redis is interrupted (%s); connecting again", exc)
                self._failing = True
            except Exception:
                # Without this loop the process would never receive an event again.
                logger.exception("a subscription of Redis failed; connecting again")
                self._failing = True
            finally:
                self.heard_at, self._connection = 0.0, None
                self._unconfirmed = set(self._channels)
                for waits in self._channels.values():
                    waits.set()
            _end_if_cancelled()
            await asyncio.sleep(_RETRY_DELAY)

    async def _listen(self) -> None:
        generation = self._server.generation
        async with asyncio.timeout(2 * CALL_TIMEOUT):
            connection = await make_subscriber(self._server)
            await connection.connect()
        try:
            self._connection = connection
            if self._channels:
                await self._send("SUBSCRIBE", *self._channels)
            replies, waits_for_answer = _Replies(connection), False
            while self._server.generation == generation:
                _end_if_cancelled()
                if await replies.arrive(_ANSWER_WITHIN if waits_for_answer else _PING_AFTER):
                    self.heard_at, self._failing, waits_for_answer = time.monotonic(), False, False
                    for reply in replies:
                        self._receive(reply)
                elif waits_for_answer or not connection.is_connected:
                    self._server.outdate()  # other connections may have died in the same way
                    raise redis.TimeoutError(f"it was silent for {_PING_AFTER + _ANSWER_WITHIN:g} s")
                else:
                    await self._send("PING")
                    waits_for_answer = True
        finally:
            await connection.disconnect(nowait=True)

    def _receive(self, reply: Any) -> None:
        if not isinstance(reply, list):  # the answer to a ping without any channel
            return
        kind, channel = reply[0], reply[1].decode()
        if kind == b"message":
            self._on_message(channel, reply[2])
        elif kind == b"subscribe" and channel in self._channels:
            self._channels[channel].set()
            self._unconfirmed.discard(channel)
            if not self._unconfirmed:
                self._on_connect()


class _Replies:
    """The replies of a connection, all that have come at a time.

    redis-py reads them one by one, each with a timeout of its own. While many answers stream, this took a web
    process a third of the time of a piece of text.
    """

    def __init__(self, connection: Any) -> None:
        self._stream = connection._reader
        self._parser = hiredis.Reader(
            protocolError=redis.InvalidResponse, replyError=redis.ResponseError, notEnoughData=self
        )

    async def arrive(self, seconds: float) -> bool:
        """Wait for bytes, but no longer than this. Return whether some have come."""
        try:
            async with asyncio.timeout(seconds):
                data = await self._stream.read(_READ_SIZE)
        except TimeoutError:
            return False
        if not data:
            raise redis.ConnectionError("it was closed by the server")
        self._parser.feed(data)
        return True

    def __iter__(self) -> Iterator[Any]:
        """Yield the replies that are complete. Raise the first that is an error."""
        while (reply := self._parser.gets()) is not self:
            if isinstance(reply, Exception):
                raise reply
            yield reply


def _end_if_cancelled() -> None:
    """Raise `CancelledError` if the running task was cancelled and does not know it.

    redis-py sends with `asyncio.wait_for`, which swallows a cancellation before Python 3.12 if what it waits
    for ends in the same moment. The error of a broken connection can take its place, too.
    """
    if (task := asyncio.current_task()) and task.cancelling():
        raise asyncio.CancelledError
