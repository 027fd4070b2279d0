"""The channel layer: Redis pub/sub, with inboxes that have a bound, and many messages in one round trip.

This is the one place that knows the insides of `channels_redis`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer

from .messages import name_of

Message = dict[str, Any]

#: Bytes that may wait for one socket. One that cannot keep up loses what will be made up for.
MOST_WAITING = 512 * 1024

#: Events whose loss shows in what comes after them.
_PASSING = ("delta", "progress")


class PubSubLayer(RedisPubSubChannelLayer):
    """As `channels_redis` has it, which keeps all that comes for a socket until the memory is full."""

    async def new_channel(self, prefix: str = "specific.") -> str:
        """The name of a new channel, to which nothing is sent yet."""
        here = self._get_layer()
        name: str = await here.new_channel(prefix)
        here.channels[name] = Inbox(self)
        return name

    async def group_send_many(self, messages: Sequence[tuple[str, Message]]) -> None:
        """`group_send` of each (group, message), in order.

        Sent one by one, each takes a lock and a round trip of its own, which is most of what a streaming
        worker would do.
        """
        here = self._get_layer()
        by_shard: dict[Any, list[tuple[str, bytes]]] = {}
        for group, message in messages:
            channel = here._get_group_channel_name(group)
            by_shard.setdefault(here._get_shard(channel), []).append((channel, self.serialize(message)))
        await asyncio.gather(*(_publish(shard, some) for shard, some in by_shard.items()))


async def _publish(shard: Any, messages: Sequence[tuple[str, bytes]]) -> None:
    async with shard._lock:
        shard._ensure_redis()
        pipeline = shard._redis.pipeline(transaction=False)
        for channel, message in messages:
            pipeline.publish(channel, message)
        await pipeline.execute()


class Inbox(asyncio.Queue[bytes]):
    """What has come for one socket, and waits until it takes it in."""

    def __init__(self, layer: PubSubLayer) -> None:
        super().__init__()
        self._layer = layer

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.size = 0
        """Bytes."""

    def _put(self, item: bytes) -> None:
        if self.size + len(item) > MOST_WAITING:
            self._make_room()
        self.size += len(item)
        super()._put(item)

    def _get(self) -> bytes:
        item: bytes = super()._get()
        self.size -= len(item)
        return item

    def _make_room(self) -> None:
        """Lose all text at once: a single gap is cheap to fill. Then, if need be, the oldest of the rest."""
        waiting = [self._get() for _ in range(self.qsize())]
        for item in waiting:
            if not self._is_passing(item):
                super()._put(item)
                self.size += len(item)
        while self.size > MOST_WAITING // 2:
            self._get()

    def _is_passing(self, item: bytes) -> bool:
        event = self._layer.deserialize(item).get("event")
        return bool(event) and name_of(event) in _PASSING
