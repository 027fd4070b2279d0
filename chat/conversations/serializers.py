"""Events and jobs as clients get them, over the socket and over HTTP. docs/protocol.md is the contract."""

from typing import Any

from chat.markdown.render import render
from chat.protocol.failures import failure_fields
from chat.upstream import without_thoughts
from queueing.api import Job, State, Submission, events
from queueing.api.events import Event, Standing

from .messages import AcceptedMessage
from .selectors import status_of

#: Fields of a result that clients get beside the text: how the answer was made, and what it cost.
_PUBLIC_FIELDS = ("cached", "model", "usage", "cost", "truncated", "thoughtSeconds")


def decorate(event: Event) -> Event:
    """Return the engine's event as clients get it: with the text of a result, and the text as HTML."""
    match events.name_of(event):
        case "completed":
            return event | _response(event.get("result"))
        case "failed":
            return event | _said(event) | failure_fields(event["code"])
        case "cancelled":
            return event | _said(event)
    return event


def _said(event: Event) -> dict[str, Any]:
    """Return the fields of what was said before the job ended without completing."""
    text = without_thoughts(event["text"])
    return {"text": text, "html": render(text)}


def _response(result: Any) -> dict[str, Any]:
    response = result.get("response") if isinstance(result, dict) else None
    if not isinstance(response, str):
        return {}
    fields = {name: result[name] for name in _PUBLIC_FIELDS if result.get(name) is not None}
    return {"response": response, "html": render(response)} | fields


async def queued_event(submission: Submission) -> Event:
    """Return the job's `queued` event: the one that the engine has sent, else one made now."""
    return submission.queued_event or await events.queued_event(submission.job)


def queued_status(job: Job) -> str:
    """Return `queued` for a job that will run, else the state's own name."""
    return "queued" if job.state in (State.WAITING, State.DELAYED) else str(job.state)


async def accepted_view(accepted: AcceptedMessage) -> dict[str, Any]:
    """Return an accepted message as HTTP answers it."""
    return accepted_fields(accepted, await queued_event(accepted.submission))


def accepted_fields(accepted: AcceptedMessage, queued: Event) -> dict[str, Any]:
    """Return an accepted message as HTTP answers it, with the place in line of its `queued` event."""
    job = accepted.job
    return {
        "jobId": job.id.hex,
        "requestId": job.request_id,
        "threadId": accepted.thread_id,
        "messageId": accepted.message_id,
        "replyId": accepted.reply_id,
        "queue": job.queue,
        "status": queued_status(job),
        "position": queued["position"],
        "estimatedWait": queued["estimatedWait"],
    }


def job_view(job: Job, standing: Standing) -> dict[str, Any]:
    """Return a job as HTTP shows it."""
    view = {
        "jobId": job.id.hex,
        "requestId": job.request_id,
        "threadId": job.meta.get("threadId"),
        "kind": job.kind,
        "queue": job.queue,
        "status": status_of(job),
        "position": standing.position,
        "estimatedWait": standing.wait,
        "attempt": job.attempts,
        "of": job.max_attempts,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "finishedAt": job.finished_at,
    }
    if job.state == State.COMPLETED:
        view |= _response(job.result)
    if job.state == State.FAILED:
        view |= {"error": job.error, "code": job.error_code} | failure_fields(job.error_code)
    return view
