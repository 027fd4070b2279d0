"""The channel layer: Redis pub/sub with bounded inboxes, and many messages in one round trip.

It connects to the engine's Redis as the engine does. A connection that breaks or falls silent is replaced,
with its subscriptions. Messages sent meanwhile are lost. Events only repeat what is in the record and in
Redis, so their receivers can catch up from there.
"""

import asyncio
import logging
import uuid
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from queueing.schedule import redis_client
from queueing.schedule.server import server
from queueing.schedule.subscription import Subscription
from queueing.values.extras import extra

from .inbox import BoundedInbox, Message

with extra("channels"):
    from channels_redis.serializers import registry

logger = logging.getLogger(__name__)


class PubSubLayer:
    """The backend for `CHANNEL_LAYERS`. Its `CONFIG` has a `prefix` of the names of all channels."""

    extensions = ("groups", "flush")

    def __init__(self, *, prefix: str = "asgi", **_: Any) -> None:
        self.prefix = prefix
        self._serializer = registry.get_serializer("msgpack")
        self._layers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopLayer]
        self._layers = weakref.WeakKeyDictionary()

    def serialize(self, message: Message) -> bytes:
        """Return a message as it is sent."""
        return bytes(self._serializer.serialize(message))

    def deserialize(self, data: bytes) -> Message:
        """Return a message that was sent."""
        return dict(self._serializer.deserialize(data))

    def _get_layer(self) -> "_LoopLayer":
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = _LoopLayer(self)
        return self._layers[loop]

    @property
    def channels(self) -> dict[str, BoundedInbox]:
        """The channels that the running loop receives: name -> inbox."""
        return self._get_layer().channels

    @property
    def groups(self) -> dict[str, set[str]]:
        """The groups that the running loop receives: name -> channels."""
        return self._get_layer().groups

    def new_inbox(self) -> BoundedInbox:
        """Return an inbox for the messages of one channel."""
        return BoundedInbox(self.deserialize)

    async def new_channel(self, prefix: str = "specific.") -> str:
        """Return the name of a new channel."""
        name = f"{self.prefix}{prefix}{uuid.uuid4().hex}"
        await self._get_layer().open(name)
        return name

    async def receive(self, channel: str) -> Message:
        """Return the next message of a channel. To cancel this closes the channel."""
        return await self._get_layer().receive(channel)

    async def serve(
        self,
        channel: str,
        receive: Callable[[], Awaitable[Message]],
        dispatch: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Call `dispatch` with each message of a channel, and with each that `receive` returns, in turn.

        It ends when one of them raises. Channels' own loop for this makes a task for each message.
        """
        await self.channels[channel].serve(receive, dispatch)

    async def send(self, channel: str, message: Message) -> None:
        """Send a message to one channel."""
        await self._publish([(channel, message)])

    async def group_add(self, group: str, channel: str) -> None:
        """Add a channel of this process to a group."""
        await self._get_layer().group_add(self._group(group), channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Remove a channel of this process from a group."""
        await self._get_layer().group_discard(self._group(group), channel)

    async def group_send(self, group: str, message: Message) -> None:
        """Send a message to all channels of a group."""
        await self._publish([(self._group(group), message)])

    async def group_send_many(self, messages: Sequence[tuple[str, Message]]) -> None:
        """Do `group_send` for each (group, message), in order, with one round trip."""
        await self._publish([(self._group(group), message) for group, message in messages])

    def group_send_sync(self, group: str, messages: Sequence[Message]) -> None:
        """Send messages to all channels of a group from synchronous code, in order. It does not wait."""
        name = self._group(group)
        redis_client.send_commands([("PUBLISH", name, self.serialize(message)) for message in messages])

    async def flush(self) -> None:
        """Forget all channels and groups of the running loop, and close its connection."""
        if found := self._layers.pop(asyncio.get_running_loop(), None):
            await found.closer.aclose()

    def _group(self, group: str) -> str:
        return f"{self.prefix}__group__{group}"

    async def _publish(self, messages: Sequence[tuple[str, Message]]) -> None:
        commands = [("PUBLISH", name, self.serialize(message)) for name, message in messages]
        if commands:
            await redis_client.fast().execute_many(commands)


class _LoopLayer:
    """The channels that one event loop receives."""

    def __init__(self, layer: PubSubLayer) -> None:
        self._layer = layer
        self.channels: dict[str, BoundedInbox] = {}
        self.groups: dict[str, set[str]] = defaultdict(set)
        self._subscription = Subscription(server(), self._deliver)
        self._listening: asyncio.Task[None] | None = None
        self.closer = redis_client.closes_with_loop(self._close)

    async def open(self, channel: str) -> None:
        self.channels[channel] = self._layer.new_inbox()
        await self._subscribe(channel)

    async def _subscribe(self, name: str) -> None:
        if self._listening is None:
            self._listening = asyncio.create_task(self._subscription.run())
        await self._subscription.add(name)

    def _deliver(self, name: str, data: bytes) -> None:
        for channel in (name, *self.groups.get(name, ())):
            if channel in self.channels:
                self.channels[channel].put_nowait(data)

    async def receive(self, channel: str) -> Message:
        if channel not in self.channels:
            await self.open(channel)
        try:
            return await self.channels[channel].next()
        except asyncio.CancelledError:
            if self.channels.pop(channel, None) is not None:
                await self._subscription.discard(channel)
            raise

    async def group_add(self, group: str, channel: str) -> None:
        if channel not in self.channels:
            raise RuntimeError(f"{channel} is not a channel of this process")
        self.groups[group].add(channel)
        await self._subscribe(group)

    async def group_discard(self, group: str, channel: str) -> None:
        members = self.groups.get(group, set())
        members.discard(channel)
        if group in self.groups and not members:
            del self.groups[group]
            await self._subscription.discard(group)

    async def _close(self) -> None:
        self.channels.clear()
        self.groups.clear()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
