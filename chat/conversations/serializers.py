"""What clients are told of jobs, as events and over HTTP. docs/protocol.md is the contract; what they say
is in `incoming`."""

from typing import Any

from chat.markdown.render import render
from queueing.api import Job, State, events
from queueing.api.events import Standing

from .selectors import standing
from .services import Asked

#: Of a result, what is told beside the answer: how it came about, and what it cost.
_TOLD = ("cached", "model", "usage", "cost", "truncated")


def decorate(event: dict[str, Any]) -> dict[str, Any]:
    """The engine's event as clients get it: a completed one with its text, and what was said as HTML."""
    match events.name_of(event):
        case "completed":
            return event | _response(event.get("result"))
        case "cancelled":
            return event | {"html": render(event["text"])}
    return event


def _response(result: Any) -> dict[str, Any]:
    response = result.get("response") if isinstance(result, dict) else None
    if not isinstance(response, str):
        return {}
    told = {name: result[name] for name in _TOLD if result.get(name) is not None}
    return {"response": response, "html": render(response)} | told


def queued_status(job: Job) -> str:
    """`queued` for what will run, else the state's own name."""
    return "queued" if job.state in (State.WAITING, State.DELAYED) else str(job.state)


def queued_event(job: Job, place: Standing) -> dict[str, Any]:
    """`<topic>:queued`, for a socket that asks for a job it may not have heard of."""
    return events.event_of(job, "queued", queue=job.queue, position=place.position, estimatedWait=place.wait)


def asked_view(asked: Asked, place: Standing) -> dict[str, Any]:
    """An accepted question as HTTP answers it."""
    return {
        "jobId": asked.job.id.hex,
        "requestId": asked.job.request_id,
        "threadId": asked.thread_id,
        "messageId": asked.message_id,
        "replyId": asked.reply_id,
        "queue": asked.job.queue,
        "status": queued_status(asked.job),
        "position": place.position,
        "estimatedWait": place.wait,
    }


def job_view(job: Job, place: Standing) -> dict[str, Any]:
    """A job as HTTP shows it."""
    view = {
        "jobId": job.id.hex,
        "requestId": job.request_id,
        "threadId": job.meta.get("threadId"),
        "kind": job.kind,
        "queue": job.queue,
        "status": standing(job),
        "position": place.position,
        "estimatedWait": place.wait,
        "attempt": job.attempts,
        "of": job.max_attempts,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "finishedAt": job.finished_at,
    }
    if job.state == State.COMPLETED:
        view |= _response(job.result)
    if job.state == State.FAILED:
        view |= {"error": job.error, "code": job.error_code}
    return view
