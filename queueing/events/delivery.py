"""Sending events to an owner's sockets, through the owner's group of the channel layer.

Events may be lost on the way. The record and the text stored in Redis hold the truth, and `catch_up` brings
a client from any point to the present.
"""

import hashlib
import logging
from collections.abc import Sequence

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from queueing.schedule import redis_client

from .messages import Event

logger = logging.getLogger(__name__)


def group_of(owner: str) -> str:
    """Return the channel-layer group of an owner; it does not reveal the owner's name."""
    return "owner." + hashlib.sha256(owner.encode()).hexdigest()[:40]


async def emit(owner: str, event: Event) -> None:
    """Send the event to the owner's sockets. If the channel layer is unavailable, log the loss."""
    layer = get_channel_layer()
    if not owner or layer is None:
        return
    try:
        await layer.group_send(group_of(owner), {"type": "queue.event", "event": event})
    except redis_client.Unavailable as exc:
        logger.warning("event %s of job %s was lost: %s", event["type"], event.get("jobId"), exc)


async def emit_many(events: Sequence[tuple[str, Event]]) -> None:
    """Send each (owner, event), in order; in one round trip where the channel layer supports it."""
    layer = get_channel_layer()
    if len(events) < 2 or not hasattr(layer, "group_send_many"):
        for owner, event in events:
            await emit(owner, event)
        return
    messages = [
        (group_of(owner), {"type": "queue.event", "event": event}) for owner, event in events if owner
    ]
    try:
        await layer.group_send_many(messages)
    except redis_client.Unavailable as exc:
        logger.warning("%d events were lost: %s", len(events), exc)


def emit_sync(owner: str, event: Event) -> None:
    """Send the event from synchronous code."""
    async_to_sync(emit)(owner, event)
