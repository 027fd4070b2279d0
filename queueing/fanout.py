"""Many events to many owners in one round trip, where the channel layer is Redis pub/sub.

Channels sends one message at a time, each with a lock and a round trip of its own, which is most of
what a streaming worker would do. This is the one place that knows the layer's insides.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from channels.layers import get_channel_layer

from . import events, redis
from .events import Event, group_of

if TYPE_CHECKING:
    from channels_redis.pubsub import RedisPubSubChannelLayer

logger = logging.getLogger(__name__)


async def emit_many(news: Sequence[tuple[str, Event]]) -> None:
    """`events.emit` for each (owner, event), in order."""
    layer = get_channel_layer()
    if len(news) < 2 or not _is_pubsub(layer):
        for owner, event in news:
            await events.emit(owner, event)
        return
    try:
        await _publish(layer, [(owner, event) for owner, event in news if owner])
    except redis.Unavailable as exc:
        logger.warning("%d events are lost: %s", len(news), exc)


def _is_pubsub(layer: Any) -> bool:
    """Told by its class's home: importing that costs megabytes, which who has no such layer need not pay."""
    return type(layer).__module__ == "channels_redis.pubsub"


async def _publish(layer: "RedisPubSubChannelLayer", news: Sequence[tuple[str, Event]]) -> None:
    here = layer._get_layer()
    by_shard: dict[Any, list[tuple[str, bytes]]] = {}
    for owner, event in news:
        channel = here._get_group_channel_name(group_of(owner))
        message = layer.serialize({"type": "queue.event", "event": event})
        by_shard.setdefault(here._get_shard(channel), []).append((channel, message))
    await asyncio.gather(*(_publish_on(shard, messages) for shard, messages in by_shard.items()))


async def _publish_on(shard: Any, messages: Sequence[tuple[str, bytes]]) -> None:
    async with shard._lock:
        shard._ensure_redis()
        pipeline = shard._redis.pipeline(transaction=False)
        for channel, message in messages:
            pipeline.publish(channel, message)
        await pipeline.execute()
