"""The HTTP API. Services write, selectors read, `serializers` and `schemas` shape the answers."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router, Status, Swagger

from chat import intake
from chat.accounts.access.owners import BlockingVisitorAuth, VisitorAuth
from chat.accounts.personal_data.late_writes import write_for_owner
from chat.analytics.api import router as analytics_router
from chat.care.api import router as care_router
from chat.care.http import care_of, screen
from chat.companions.registry import COMPANIONS, Companion, companion_named
from chat.conversations import selectors, serializers, services
from chat.conversations.messages import NewMessage
from chat.documents.api import router as documents_router
from chat.errors import InvalidInput
from chat.limits.addresses import client_address
from chat.protocol import client_messages
from chat.protocol.openapi import (
    DESCRIPTION,
    DOCS_PAGE,
    BoundedParser,
    DocumentedAPI,
    errors,
    other_than_json,
)
from chat.protocol.schemas.bodies import QuestionIn
from chat.protocol.schemas.jobs import AcceptedOut, JobOut, ThoughtsOut
from chat.protocol.schemas.threads import CompanionsOut
from chat.replies import thoughts
from chat.socket.api import router as connection_router
from chat.usage.api import router as usage_router
from chat.voice.api import router as voice_router
from queueing.api import Job, events, new_id

from . import job_events, problems, texts
from .queue_status import router as status_router
from .threads import router as threads_router

router = Router(by_alias=True, exclude_unset=True)
api = DocumentedAPI(
    title="Buddy Companion",
    version="1",
    description=DESCRIPTION,
    docs=Swagger(settings=DOCS_PAGE),
    auth=[VisitorAuth()],
    parser=BoundedParser(),
    urls_namespace="api",
)
problems.install(api)

#: The schema of one event of a stream, and an example of a stream.
_EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "description": "The type, as in `data`."},
        "id": {"type": "string", "description": "With a piece of text: where to resume, as `Last-Event-ID`."},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
_EVENTS = """\
event: chat:position
data: {"type": "chat:position", "jobId": "0198…", "position": 1, "estimatedWait": {"low": 1, "high": 4, …}}

id: 1.11
event: chat:delta
data: {"type": "chat:delta", "jobId": "0198…", "run": 1, "attempt": 1, "offset": 0, "text": "Start in Al"}

event: chat:completed
data: {"type": "chat:completed", "jobId": "0198…", "response": "Start in Alfama.", …}
"""


async def _job_view(job: Job) -> dict[str, Any]:
    return serializers.job_view(job, await events.standing_of(job))


@router.get("/companions", response=CompanionsOut, auth=None, tags=["companions"])
async def list_companions(request: HttpRequest) -> dict[str, Any]:
    """List the companions."""
    return {"companions": [companion.public() for companion in COMPANIONS.values()]}


def _question_view(companion: Companion) -> Callable[..., Any]:
    def ask(request: HttpRequest, body: QuestionIn) -> HttpResponse:
        """Accept a message. No coroutine: all that blocks, with the authentication, is in one thread."""
        if body.assistant_id:
            _check_assistant(body.assistant_id, companion)
        message = NewMessage(
            owner=request.auth,
            companion=companion.id,
            text=_text(body),
            request_id=body.request_id or new_id().hex,
            thread_id=body.thread_id,
            address=client_address(request),
        )
        screen(request, message.text, message.companion)
        accepted = write_for_owner(request, partial(intake.submit_message, message))
        asked_again = async_to_sync(serializers.queued_event)
        queued = accepted.submission.queued_event or asked_again(accepted.submission)
        view = serializers.accepted_fields(accepted, queued)
        # As it is: to check our own answer against its schema takes longer than to make it.
        answer = json.dumps(view | intake.notice_of(accepted) | care_of(request))
        return HttpResponse(answer, status=202, content_type=api.get_content_type())

    return ask


def _check_assistant(assistant_id: str, companion: Companion) -> None:
    if companion_named(assistant_id, field="assistantId") != companion:
        raise InvalidInput("assistantId", texts.other_companion(companion.id))


def _text(body: QuestionIn) -> str:
    if (body.message is None) == (body.messages is None):
        raise InvalidInput("message", texts.ONE_OF_MESSAGE_AND_MESSAGES)
    return body.message if body.message is not None else client_messages.last_user_text(body.messages or [])


for _companion in COMPANIONS.values():
    router.post(
        f"/{_companion.id}",
        response={202: AcceptedOut} | errors(400, 404, 413, 422, 503),
        auth=BlockingVisitorAuth(),
        operation_id=f"ask_{_companion.id}",
        summary=f"Ask the {_companion.name} companion",
        description="Answers at once. The reply follows in the job's events, or in the job itself.",
        url_name=f"ask-{_companion.id}",
        tags=["companions"],
    )(_question_view(_companion))


@router.get("/jobs/{job_id}", response={200: JobOut} | errors(404), tags=["jobs"])
async def get_job(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """Return the state of a job."""
    return await _job_view(await sync_to_async(selectors.job)(owner=request.auth, job_id=job_id))


@router.delete("/jobs/{job_id}", response={200: JobOut} | errors(404, 409), tags=["jobs"])
async def cancel_job(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """Cancel a job that waits or runs."""
    return await _job_view(await sync_to_async(services.cancel)(owner=request.auth, job_id=job_id))


@router.post("/jobs/{job_id}/retry", response={202: JobOut} | errors(404, 409, 503), tags=["jobs"])
async def retry_job(request: HttpRequest, job_id: UUID) -> Status[Any]:
    """Run a failed or cancelled job again."""
    job = await sync_to_async(services.retry)(
        owner=request.auth, job_id=job_id, address=client_address(request)
    )
    return Status(202, await _job_view(job))


@router.get(
    "/jobs/{job_id}/events",
    response={200: None} | errors(404, 422),
    openapi_extra=other_than_json("text/event-stream", _EVENTS, _EVENT),
    tags=["jobs"],
)
async def follow_job(request: HttpRequest, job_id: UUID, offset: int = 0) -> StreamingHttpResponse:
    """Follow a job's events as `text/event-stream`, up to its terminal event."""
    run, offset = job_events.resume_from(request, offset)
    job = await sync_to_async(selectors.job)(owner=request.auth, job_id=job_id)
    return job_events.event_stream(job, run=run, offset=max(0, offset))


@router.get("/jobs/{job_id}/thoughts", response={200: ThoughtsOut} | errors(404), tags=["jobs"])
async def get_thoughts(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """Return what the model thought before its answer. Kept for an hour, and no part of the conversation."""
    job = await sync_to_async(selectors.job)(owner=request.auth, job_id=job_id)
    return {"thoughts": await thoughts.read(job.id)}


api.add_router("", router)
api.add_router("", status_router)
api.add_router("", connection_router)
api.add_router("", threads_router)
api.add_router("", voice_router)
api.add_router("", usage_router)
api.add_router("", analytics_router)
api.add_router("", care_router)
api.add_router("", documents_router)
