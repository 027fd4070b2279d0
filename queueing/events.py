"""Telling a job's owner, and nobody else, what happens to it.

Events travel through the channel layer to the owner's group. They may be lost on the way: the record
and the text kept in Redis are what counts, and `catch_up` brings a watcher from anywhere to now.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.utils import timezone

from . import redis, schedule, status
from .kinds import get_kind
from .models import Attempt, Job
from .states import State

logger = logging.getLogger(__name__)

Event = dict[str, Any]

#: Seconds between looks at the record by a follower whom the channel layer tells nothing.
_LOOK_AGAIN = 5.0
ENDINGS = ("completed", "failed", "cancelled")


def group_of(owner: str) -> str:
    """The channel-layer group of an owner; the owner's name cannot be read from it."""
    return "owner." + hashlib.sha256(owner.encode()).hexdigest()[:40]


def make(topic: str, name: str, job_id: str, request_id: str, meta: dict[str, str], **fields: Any) -> Event:
    """One event of a job, as docs/protocol.md gives it."""
    return {"type": f"{topic}:{name}", "jobId": job_id, "requestId": request_id, **meta, **fields}


def of(job: Job, name: str, **fields: Any) -> Event:
    """One event of a row."""
    return make(get_kind(job.kind).topic, name, job.id.hex, job.request_id, job.meta, **fields)


async def emit(owner: str, event: Event) -> None:
    """Send the event to the owner's sockets. A channel layer that is away loses it, with a log line."""
    layer = get_channel_layer()
    if not owner or layer is None:
        return
    try:
        await layer.group_send(group_of(owner), {"type": "queue.event", "event": event})
    except redis.Unavailable as exc:
        logger.warning("event %s of job %s is lost: %s", event["type"], event["jobId"], exc)


def emit_soon(job: Job, name: str, **fields: Any) -> None:
    """Send an event from synchronous code."""
    event = of(job, name, **fields)

    async def send() -> None:
        if name == "queued":
            where = await status.place(job)
            event.update(position=where.position, estimatedWait=where.wait)
        await emit(job.owner, event)

    async_to_sync(send)()


def ending(job: Job) -> Event:
    """The terminal event of a finished row."""
    if job.state == State.COMPLETED:
        response = job.result.get("response", "") if isinstance(job.result, dict) else ""
        return of(job, "completed", response=response, result=job.result)
    if job.state == State.FAILED:
        return of(job, "failed", error=job.error, code=job.error_code, canRetry=True, text=job.text)
    return of(job, "cancelled", text=job.text)


async def text_so_far(job_id: str) -> tuple[int, str]:
    """(attempt, text) of an answer in flight; (0, "") when nothing is kept."""
    try:
        kept = await redis.aclient().get(schedule.stream_key(job_id))
    except redis.Unavailable:
        return 0, ""
    if not kept:
        return 0, ""
    attempt, _, text = kept.partition("\x1f")
    return int(attempt), text


async def catch_up(job: Job, *, attempt: int | None = None, offset: int = 0) -> list[Event]:
    """The events that bring a watcher who has `offset` characters of `attempt` to now."""
    job = await Job.objects.aget(pk=job.pk)
    if job.is_finished:
        return [ending(job)]
    if job.state == State.DELAYED and (last := await job.history.alast()):
        return [_retrying(job, last)]
    if job.state != State.ACTIVE:
        where = await status.place(job)
        fields = {"queue": job.queue, "position": where.position, "estimatedWait": where.wait}
        return [of(job, "position", **fields)]
    found = [of(job, "started", attempt=job.attempts, of=job.max_attempts)]
    number, text = await text_so_far(job.id.hex)
    start = offset if number == attempt else 0
    if number == job.attempts and text[start:]:
        found.append(of(job, "delta", attempt=number, offset=start, text=text[start:]))
    return found


def _retrying(job: Job, last: Attempt) -> Event:
    """What the owner was told when the last attempt failed, with the seconds that are left now."""
    left = (job.run_at - timezone.now()).total_seconds() if job.run_at else 0.0
    return of(
        job,
        "retrying",
        **{
            "queue": job.queue,
            "attempt": last.number,
            "of": job.max_attempts,
            "in": max(0.0, round(left, 1)),
        },
        reason=last.error,
        code=last.code or last.outcome,
    )


async def follow(job: Job, *, attempt: int | None = None, offset: int = 0) -> AsyncIterator[Event]:
    """Every event from there to the terminal one, without gap or repeat."""
    layer = get_channel_layer()
    if layer is None:
        raise RuntimeError("CHANNEL_LAYERS is not configured")
    channel = await layer.new_channel("follow.")
    group = group_of(job.owner)
    await layer.group_add(group, channel)
    seen = Reader(attempt, offset)
    try:
        while True:
            for event in await catch_up(job, attempt=seen.attempt, offset=seen.offset):
                if fresh := seen.take(event):
                    yield fresh
                if _is_ending(event):
                    return
            async for event in _live(layer, channel, job.id.hex):
                if seen.misses(event):
                    break  # something was lost on the way: catch up
                if fresh := seen.take(event):
                    yield fresh
                if _is_ending(event):
                    return
    finally:
        with contextlib.suppress(*redis.Unavailable):
            await layer.group_discard(group, channel)


async def _live(layer: Any, channel: str, job_id: str) -> AsyncIterator[Event]:
    """The job's events as they come; ends when none has come for a while."""
    while True:
        try:
            async with asyncio.timeout(_LOOK_AGAIN):
                message = await layer.receive(channel)
        except TimeoutError:
            return
        if message["event"].get("jobId") == job_id:
            yield message["event"]


def _is_ending(event: Event) -> bool:
    return event["type"].partition(":")[2] in ENDINGS


class Reader:
    """How far one watcher has read; drops what it has, and notices what it misses."""

    def __init__(self, attempt: int | None, offset: int) -> None:
        self.attempt = attempt
        self.offset = offset
        self._last: Event | None = None

    def misses(self, event: Event) -> bool:
        """Whether text between what was read and this event is missing."""
        if not event["type"].endswith(":delta"):
            return False
        here = self.offset if event["attempt"] == self.attempt else 0
        return bool(event["offset"] > here)

    def take(self, event: Event) -> Event | None:
        """The event, less what was read already; None when nothing of it is new."""
        if not event["type"].endswith(":delta"):
            if event == self._last:
                return None
            self._last = event
            return event
        if event["attempt"] != self.attempt:
            if self.attempt is not None and event["attempt"] < self.attempt:
                return None
            self.attempt, self.offset = event["attempt"], 0
        fresh = event["text"][self.offset - event["offset"] :]
        if not fresh:
            return None
        event = event | {"offset": self.offset, "text": fresh}
        self.offset += len(fresh)
        return event
