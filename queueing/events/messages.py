"""Telling a job's owner, and nobody else, what happens to it.

Events travel through the channel layer to the owner's group. They may be lost on the way: the record
and the text kept in Redis are what counts, and `catch_up` brings a watcher from anywhere to now.
"""

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.utils import timezone

from queueing.kinds import get_kind
from queueing.models import FailedAttempt, Job
from queueing.record.database_thread import in_thread
from queueing.schedule import redis_client, scripts
from queueing.states import State

from . import progress, standing

logger = logging.getLogger(__name__)

Event = dict[str, Any]

ENDINGS = ("completed", "failed", "cancelled")
#: Fields that belong to one event, not to all of a job's.
_OF_ONE = {"type", "queue", "position", "estimatedWait", "run", "attempt", "of", "in", "reason", "code"}
_OF_ONE |= {"offset", "text", "done", "total", "label"}


def group_of(owner: str) -> str:
    """The channel-layer group of an owner; the owner's name cannot be read from it."""
    return "owner." + hashlib.sha256(owner.encode()).hexdigest()[:40]


def make(topic: str, name: str, job_id: str, request_id: str, meta: dict[str, str], **fields: Any) -> Event:
    """One event of a job, as docs/protocol.md gives it."""
    return {"type": f"{topic}:{name}", "jobId": job_id, "requestId": request_id, **meta, **fields}


def event_of(job: Job, name: str, **fields: Any) -> Event:
    """One event of a row."""
    return make(get_kind(job.kind).topic, name, job.id.hex, job.request_id, job.meta, **fields)


def topic_of(event: Event) -> str:
    """Whose kind of event it is: `chat` of a `chat:delta`."""
    return str(event["type"]).partition(":")[0]


def name_of(event: Event) -> str:
    """What happened: `delta` of a `chat:delta`."""
    return str(event["type"]).partition(":")[2]


def is_terminal(event: Event) -> bool:
    """Whether this is a job's last event."""
    return name_of(event) in ENDINGS


async def emit(owner: str, event: Event) -> None:
    """Send the event to the owner's sockets. A channel layer that is away loses it, with a log line."""
    layer = get_channel_layer()
    if not owner or layer is None:
        return
    try:
        await layer.group_send(group_of(owner), {"type": "queue.event", "event": event})
    except redis_client.Unavailable as exc:
        logger.warning("event %s of job %s is lost: %s", event["type"], event.get("jobId"), exc)


async def emit_many(news: Sequence[tuple[str, Event]]) -> None:
    """`emit` for each (owner, event), in order; in one round trip, where the channel layer knows how."""
    layer = get_channel_layer()
    if len(news) < 2 or not hasattr(layer, "group_send_many"):
        for owner, event in news:
            await emit(owner, event)
        return
    messages = [(group_of(owner), {"type": "queue.event", "event": event}) for owner, event in news if owner]
    try:
        await layer.group_send_many(messages)
    except redis_client.Unavailable as exc:
        logger.warning("%d events are lost: %s", len(news), exc)


def emit_sync(owner: str, event: Event) -> None:
    """Send an event from synchronous code."""
    async_to_sync(emit)(owner, event)


async def queued_event(job: Job) -> Event:
    """Return the `queued` event of an unfinished job, with its position and estimated wait now."""
    where = await standing.standing_of(job)
    return event_of(job, "queued", queue=job.queue, position=where.position, estimatedWait=where.wait)


def ending(job: Job) -> Event:
    """The terminal event of a finished row."""
    if job.state == State.COMPLETED:
        response = job.result.get("response", "") if isinstance(job.result, dict) else ""
        return event_of(job, "completed", response=response, result=job.result)
    if job.state == State.FAILED:
        return event_of(job, "failed", error=job.error, code=job.error_code, canRetry=True, text=job.text)
    return event_of(job, "cancelled", text=job.text)


def completed_events(job: Job) -> list[Event]:
    """Return all events of a job that had completed when it was submitted, in order."""
    at = {"run": job.run_count, "attempt": job.attempts}
    told = [
        event_of(job, "queued", queue=job.queue, position=None, estimatedWait=None),
        event_of(job, "started", of=job.max_attempts, **at),
    ]
    end = ending(job)
    if text := end.get("response"):
        told.append(event_of(job, "delta", offset=0, text=text, **at))
    return [*told, end]


def common_fields(event: Event) -> Event:
    """What all events of the same job have in common."""
    return {name: value for name, value in event.items() if name not in _OF_ONE}


def deleted_event(event: Event) -> Event:
    """The terminal event of a job whose row is gone, made from any other of its events."""
    return common_fields(event) | {"type": f"{topic_of(event)}:cancelled", "text": ""}


async def text_so_far(job_id: str) -> tuple[int, str]:
    """(run, text) of an answer in flight; (0, "") when nothing is kept."""
    try:
        kept = await redis_client.aclient().get(scripts.stream_key(job_id))
    except redis_client.Unavailable:
        return 0, ""
    return scripts.parse_stream(kept)


async def catch_up(job_id: str, *, run: int | None = None, offset: int = 0) -> list[Event]:
    """The events that bring a watcher who has `offset` characters of `run` to now.

    Raises `Job.DoesNotExist`.
    """
    job, last = await in_thread(_read)(job_id)
    if job.is_finished:
        return [ending(job)]
    if last:
        return [_retrying(job, last)]
    if job.state != State.ACTIVE:
        where = await standing.standing_of(job)
        fields = {"queue": job.queue, "position": where.position, "estimatedWait": where.wait}
        return [event_of(job, "position", **fields)]
    found = [event_of(job, "started", run=job.run_count, attempt=job.attempts, of=job.max_attempts)]
    number, text = await text_so_far(job.id.hex)
    start = offset if number == run else 0
    if number == job.run_count and text[start:]:
        at = {"run": number, "attempt": job.attempts, "offset": start}
        found.append(event_of(job, "delta", **at, text=text[start:]))
    step = (await progress.latest([job.id.hex])).get(job.id.hex)
    if step and step.run == job.run_count:
        found.append(event_of(job, "progress", **step.fields))
    return found


def _read(job_id: str) -> tuple[Job, FailedAttempt | None]:
    """The row, and when it waits for another attempt, the one that failed."""
    job = Job.objects.get(pk=job_id)
    waits = job.state == State.DELAYED and not job.unfinished_parents
    return job, job.failed_attempts.last() if waits else None


def _retrying(job: Job, last: FailedAttempt) -> Event:
    """What the owner was told when the last attempt failed, with the seconds that are left now."""
    left = max(0.0, (job.run_at - timezone.now()).total_seconds()) if job.run_at else 0.0
    fields = {"queue": job.queue, "attempt": last.number, "of": job.max_attempts, "in": round(left, 1)}
    return event_of(job, "retrying", reason=last.error, code=last.code or last.outcome) | fields
