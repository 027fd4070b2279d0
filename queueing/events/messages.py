"""The events of a job, as docs/protocol.md describes them."""

from typing import Any

from queueing.kinds import topic_of as topic_of_kind
from queueing.models import Job
from queueing.record.run import Result, Run, as_result
from queueing.states import State

from .waits import standing

Event = dict[str, Any]

TERMINAL = ("completed", "failed", "cancelled")
#: Fields that belong to one event; all others are common to the events of a job.
_SINGLE_EVENT_FIELDS = {"type", "queue", "position", "estimatedWait", "run", "attempt", "of", "in"}
_SINGLE_EVENT_FIELDS |= {"reason", "code", "offset", "text", "done", "total", "label", "seconds", "conflict"}


def make(topic: str, name: str, job_id: str, request_id: str, meta: dict[str, str], **fields: Any) -> Event:
    """Return one event of a job."""
    return {"type": f"{topic}:{name}", "jobId": job_id, "requestId": request_id, **meta, **fields}


def event_of(job: Job, name: str, /, **fields: Any) -> Event:
    """Return one event of a row."""
    return make(topic_of_kind(job.kind), name, job.id.hex, job.request_id, job.meta, **fields)


def event_of_run(run: Run, name: str, /, **fields: Any) -> Event:
    """Return one event of a run."""
    return make(run.topic, name, run.id, run.request_id, run.meta, **fields)


async def queued_event(job: Job) -> Event:
    """Return the `queued` event of an unfinished job, with its position and expected wait now."""
    return queued_event_of(job, await standing.standing_of(job))


def queued_event_of(job: Job, where: standing.Standing) -> Event:
    """Return the `queued` event of a job with this standing."""
    return event_of(job, "queued", queue=job.queue, position=where.position, estimatedWait=where.wait)


def retrying_event(run: Run, *, attempt: int, delay: float, reason: str, code: str) -> Event:
    """Return the event of a run that failed and is tried again in `delay` seconds.

    `attempt` counts the attempts spent so far; `reason` is a sentence, `code` a stable word.
    """
    wait = {"queue": run.queue, "attempt": attempt, "of": run.max_attempts, "in": round(max(0.0, delay), 1)}
    return event_of_run(run, "retrying", **wait, reason=reason, code=code)


def terminal_event(result: Result) -> Event:
    """Return the last event of a job that is completed, failed or cancelled."""
    fields: dict[str, Any] = {"text": result.text}
    if result.state == State.COMPLETED:
        response = result.value.get("response", "") if isinstance(result.value, dict) else ""
        fields = {"response": response, "result": result.value}
    elif result.state == State.FAILED:
        fields |= {"error": result.error, "code": result.code}
    return event_of_run(result.run, result.state.value, **fields)


def completed_events(job: Job) -> list[Event]:
    """Return all events of a job that had completed when it was submitted, in order."""
    run = {"run": job.run_count, "attempt": job.attempts}
    last = terminal_event(as_result(job))
    events = [
        event_of(job, "queued", queue=job.queue, position=None, estimatedWait=None),
        event_of(job, "started", of=job.max_attempts, **run),
    ]
    if text := last.get("response"):
        events.append(event_of(job, "delta", offset=0, text=text, **run))
    return [*events, last]


def deleted_event(event: Event) -> Event:
    """Return the terminal event of a job whose row was deleted, made from any other of its events."""
    return common_fields(event) | {"type": f"{topic_of(event)}:cancelled", "text": ""}


def topic_of(event: Event) -> str:
    """Return the topic of an event's kind: `chat` of a `chat:delta`."""
    return str(event["type"]).partition(":")[0]


def name_of(event: Event) -> str:
    """Return what happened: `delta` of a `chat:delta`."""
    return str(event["type"]).partition(":")[2]


def is_terminal(event: Event) -> bool:
    """Return whether this is a job's last event."""
    return name_of(event) in TERMINAL


def common_fields(event: Event) -> Event:
    """Return the fields that all events of the same job have in common."""
    return {name: value for name, value in event.items() if name not in _SINGLE_EVENT_FIELDS}
