"""The channel layer: Redis pub/sub with bounded inboxes, and many messages in one round trip.

This is the only module that uses internals of `channels_redis`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer

from .messages import name_of

Message = dict[str, Any]

#: Bytes that may wait for one socket. A slow socket loses events, which its follower makes up for.
MAX_WAITING_BYTES = 512 * 1024

#: Events whose loss shows in the events after them.
_DROPPABLE = ("delta", "progress")


class PubSubLayer(RedisPubSubChannelLayer):
    """The layer of `channels_redis`, with a limit to what it keeps for one socket."""

    async def new_channel(self, prefix: str = "specific.") -> str:
        """Return the name of a new channel."""
        layer = self._get_layer()
        name: str = await layer.new_channel(prefix)
        layer.channels[name] = BoundedInbox(self)
        return name

    async def group_send_many(self, messages: Sequence[tuple[str, Message]]) -> None:
        """Do `group_send` for each (group, message), in order.

        One by one, each send takes a lock and a round trip, which would fill a streaming worker's time.
        """
        layer = self._get_layer()
        by_shard: dict[Any, list[tuple[str, bytes]]] = {}
        for group, message in messages:
            channel = layer._get_group_channel_name(group)
            by_shard.setdefault(layer._get_shard(channel), []).append((channel, self.serialize(message)))
        await asyncio.gather(*(_publish(shard, batch) for shard, batch in by_shard.items()))


async def _publish(shard: Any, messages: Sequence[tuple[str, bytes]]) -> None:
    async with shard._lock:
        shard._ensure_redis()
        pipeline = shard._redis.pipeline(transaction=False)
        for channel, message in messages:
            pipeline.publish(channel, message)
        await pipeline.execute()


class BoundedInbox(asyncio.Queue[bytes]):
    """The messages that wait for one socket, limited to MAX_WAITING_BYTES."""

    def __init__(self, layer: PubSubLayer) -> None:
        super().__init__()
        self._layer = layer

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.size = 0
        """Bytes."""

    def _put(self, item: bytes) -> None:
        if self.size + len(item) > MAX_WAITING_BYTES:
            self._make_room()
        self.size += len(item)
        super()._put(item)

    def _get(self) -> bytes:
        item: bytes = super()._get()
        self.size -= len(item)
        return item

    def _make_room(self) -> None:
        """Drop all text, since a single gap is cheap to fill; then, if necessary, the oldest other events."""
        waiting = [self._get() for _ in range(self.qsize())]
        for item in waiting:
            if not self._is_droppable(item):
                super()._put(item)
                self.size += len(item)
        while self.size > MAX_WAITING_BYTES // 2:
            self._get()

    def _is_droppable(self, item: bytes) -> bool:
        event = self._layer.deserialize(item).get("event")
        return bool(event) and name_of(event) in _DROPPABLE
