"""Sending events to an owner's sockets, through the owner's group of the channel layer.

Events may be lost on the way. The record and the text stored in Redis hold the truth, and `catch_up` brings
a client from any point to the present.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence

from asgiref.sync import async_to_sync

from queueing.schedule import redis_client

from .layers import get_channel_layer
from .messages import Event

logger = logging.getLogger(__name__)

#: Seconds after which events are lost rather than that their sender waits.
_SEND_TIMEOUT = 5.0


def group_of(owner: str) -> str:
    """Return the channel-layer group of an owner; it does not reveal the owner's name."""
    return "owner." + hashlib.sha256(owner.encode()).hexdigest()[:40]


async def emit(owner: str, event: Event) -> None:
    """Send the event to the owner's sockets. Never raises: if it cannot be sent, it is logged and lost."""
    await emit_many([(owner, event)])


async def emit_many(events: Sequence[tuple[str, Event]]) -> None:
    """Send each (owner, event), in order; in one round trip where the channel layer supports it.

    Never raises. If something is wrong with one of them, only that one is lost.
    """
    messages = [
        (group_of(owner), {"type": "queue.event", "event": event}) for owner, event in events if owner
    ]
    layer = get_channel_layer()
    if not messages or layer is None:
        return
    try:
        async with asyncio.timeout(_SEND_TIMEOUT):
            if len(messages) > 1 and hasattr(layer, "group_send_many"):
                await layer.group_send_many(messages)
            else:
                for group, message in messages:
                    await layer.group_send(group, message)
    except (*redis_client.Unavailable, TimeoutError) as exc:
        logger.warning("%d events were lost: %s", len(messages), exc)
    except Exception:
        if len(messages) > 1:
            for owner, event in events:
                await emit(owner, event)
        else:
            logger.exception(
                "an event cannot be sent: %s", [event["type"] for owner, event in events if owner]
            )


def emit_sync(owner: str, event: Event) -> None:
    """Send the event from synchronous code. Never raises, as `emit`."""
    emit_many_sync(owner, [event])


def emit_many_sync(owner: str, events: Sequence[Event]) -> None:
    """Send the events of one owner from synchronous code, in order. Never raises, as `emit_many`."""
    layer = get_channel_layer()
    if layer is None:
        return
    if not hasattr(layer, "group_send_sync"):
        async_to_sync(emit_many)([(owner, event) for event in events])
    elif owner:
        try:
            layer.group_send_sync(
                group_of(owner), [{"type": "queue.event", "event": event} for event in events]
            )
        except redis_client.Unavailable as exc:
            logger.warning("%d events were lost: %s", len(events), exc)
        except Exception:
            if len(events) > 1:
                for event in events:
                    emit_sync(owner, event)
            else:
                logger.exception("an event cannot be sent: %s", events[0]["type"])
