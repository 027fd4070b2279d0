"""The HTTP API. Thin: services write, selectors read, `wire` and `schemas` shape, `problems` refuses."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from ninja import NinjaAPI, Router, Status

from queueing import status
from queueing.errors import BadSubmission
from queueing.ids import new_id
from queueing.models import Job

from . import changes, problems, selectors, services, sse, wire
from .addresses import client_address
from .analytics import feedback
from .analytics.api import router as analytics_router
from .answers import cache as answers
from .care.api import router as care_router
from .care.http import care_in, care_of, look_after
from .companions import COMPANIONS, Companion, companion_named
from .documents import routing
from .documents.api import router as documents_router
from .markdown import render
from .models import Role, Thread
from .schemas import (
    PROBLEMS,
    AskedOut,
    AskIn,
    CompanionsOut,
    ConversationOut,
    EditIn,
    JobOut,
    RenameIn,
    ThreadOut,
    ThreadsOut,
)
from .search import Found, search
from .usage import ledger
from .usage.api import router as usage_router
from .visitors import VisitorAuth
from .voice.api import router as voice_router

router = Router(by_alias=True, exclude_unset=True)
api = NinjaAPI(
    title="Buddy Companion",
    version="1",
    description="Four AI companions behind a job queue. docs/protocol.md tells the whole protocol.",
    auth=[VisitorAuth()],
    urls_namespace="api",
)
problems.install(api)


async def _for(request: HttpRequest, act: Callable[..., Any], **arguments: Any) -> Any:
    """Do `act` in a thread, as the one who asks."""
    return await sync_to_async(act)(owner=request.auth, **arguments)


async def _view(job: Job) -> dict[str, Any]:
    return wire.job_view(job, await status.place(job))


@router.get("/companions", response=CompanionsOut, auth=None, tags=["companions"])
async def companions(request: HttpRequest) -> dict[str, Any]:
    """Who there is to talk to."""
    return {"companions": [companion.public() for companion in COMPANIONS.values()]}


def _ask_view(companion: Companion) -> Callable[..., Any]:
    async def ask(request: HttpRequest, body: AskIn) -> Status[Any]:
        if body.assistant_id:
            _check_assistant(body.assistant_id, companion)
        text = _text(body)
        await look_after(request, text, companion.id)
        asked = await _for(
            request,
            routing.ask,
            companion=companion.id,
            text=text,
            request_id=body.request_id or new_id().hex,
            thread_id=body.thread_id,
            address=client_address(request),
        )
        place = await status.place(asked.job)
        return Status(202, wire.asked_view(asked, place) | routing.notice_of(asked) | care_of(request))

    return ask


def _check_assistant(assistant_id: str, companion: Companion) -> None:
    if companion_named(assistant_id, field="assistantId") != companion:
        raise BadSubmission("assistantId", f"This address is the {companion.id} companion's.")


def _text(body: AskIn) -> str:
    if (body.message is None) == (body.messages is None):
        raise BadSubmission("message", "Send either message or messages.")
    return body.message if body.message is not None else wire.last_user_text(body.messages or [])


for _companion in COMPANIONS.values():
    router.post(
        f"/{_companion.id}",
        response={202: AskedOut} | PROBLEMS,
        operation_id=f"ask_{_companion.id}",
        summary=f"Ask the {_companion.name} companion",
        description="Answers at once; the job's events, or the job itself, bring the reply.",
        url_name=f"ask-{_companion.id}",
        tags=["companions"],
    )(_ask_view(_companion))


@router.get("/jobs/{job_id}", response={200: JobOut} | PROBLEMS, tags=["jobs"])
async def get_job(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """How a job stands."""
    return await _view(await _for(request, selectors.job, job_id=job_id))


@router.delete("/jobs/{job_id}", response={200: JobOut} | PROBLEMS, tags=["jobs"])
async def cancel_job(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """Stop a job, waiting or running."""
    return await _view(await _for(request, services.cancel, job_id=job_id))


@router.post("/jobs/{job_id}/retry", response={202: JobOut} | PROBLEMS, tags=["jobs"])
async def retry_job(request: HttpRequest, job_id: UUID) -> Status[Any]:
    """Run a failed or cancelled job again."""
    job = await _for(request, services.retry, job_id=job_id, address=client_address(request))
    return Status(202, await _view(job))


@router.get("/jobs/{job_id}/events", response={200: str} | PROBLEMS, tags=["jobs"])
async def job_events(request: HttpRequest, job_id: UUID, offset: int = 0) -> StreamingHttpResponse:
    """A job's events as `text/event-stream`, ending with its terminal event."""
    run, offset = sse.resume_from(request, offset)
    job = await _for(request, selectors.job, job_id=job_id)
    return sse.event_stream(job, run=run, offset=max(0, offset))


@router.get("/threads", response={200: ThreadsOut} | PROBLEMS, tags=["threads"])
async def list_threads(request: HttpRequest, before: UUID | None = None, q: str = "") -> dict[str, Any]:
    """The visitor's threads, newest first; `before` a thread's id goes on after it. With `q`, the newest
    in whose title or messages those words are."""
    if q.strip():
        return {"threads": [_found_view(one) for one in await _for(request, search, query=q)]}
    found = await _for(request, selectors.threads, before=before)
    return {"threads": [_thread_view(thread) for thread in found]}


@router.get("/threads/{thread_id}", response={200: ConversationOut} | PROBLEMS, tags=["threads"])
async def get_thread(request: HttpRequest, thread_id: UUID) -> dict[str, Any]:
    """A thread with all that was said in it."""
    view = await _for(request, _conversation_view, thread_id=thread_id)
    return view | await care_in(request, view["messages"])


@router.patch("/threads/{thread_id}", response={200: ThreadOut} | PROBLEMS, tags=["threads"])
async def rename_thread(request: HttpRequest, thread_id: UUID, body: RenameIn) -> dict[str, Any]:
    """Give a thread another title."""
    thread = await _for(
        request,
        services.rename_thread,
        thread_id=thread_id,
        title=body.title,
    )
    return _thread_view(thread)


@router.delete("/threads/{thread_id}", response={204: None} | PROBLEMS, tags=["threads"])
async def delete_thread(request: HttpRequest, thread_id: UUID) -> Status[Any]:
    """Delete a thread and stop what is being written in it."""
    await _for(request, services.delete_thread, thread_id=thread_id)
    return Status(204, None)


@router.patch("/messages/{message_id}", response={202: AskedOut} | PROBLEMS, tags=["messages"])
async def edit_message(request: HttpRequest, message_id: UUID, body: EditIn) -> Status[Any]:
    """Change a message. One that still waits keeps its place; otherwise it is asked anew, and all that
    was said after it is removed."""
    await look_after(request, body.content)
    changed = await _for(
        request,
        changes.edit,
        message_id=message_id,
        text=body.content,
        request_id=body.request_id or new_id().hex,
        only_if_waiting=body.only_if_waiting,
        address=client_address(request),
    )
    job = changed.asked.job
    return Status(202, wire.asked_view(changed.asked, await status.place(job)) | care_of(request))


@router.delete("/messages/{message_id}", response={204: None} | PROBLEMS, tags=["messages"])
async def withdraw_message(request: HttpRequest, message_id: UUID) -> Status[Any]:
    """Take back a message that still waits, and the reply it would have had."""
    await _for(request, changes.withdraw, message_id=message_id)
    return Status(204, None)


@router.get("/queue/status", response=dict[str, Any], auth=None, tags=["queue"])
async def queue_status(request: HttpRequest) -> dict[str, Any]:
    """Counts, pressure and workers of each queue, and of stored answers. No contents, no owners."""
    return await status.overview() | {"answers": await asyncio.to_thread(answers.statistics)}


def _thread_view(thread: Thread) -> dict[str, Any]:
    return {
        "id": thread.id,
        "title": thread.title,
        "companion": thread.companion,
        "createdAt": thread.created_at,
        "updatedAt": thread.updated_at,
    }


def _found_view(found: Found) -> dict[str, Any]:
    return _thread_view(found.thread) | ({"snippet": asdict(found.snippet)} if found.snippet else {})


def _conversation_view(*, owner: str, thread_id: UUID) -> dict[str, Any]:
    """Runs in a thread: it reads the database, and renders Markdown."""
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    said = selectors.conversation(thread)
    messages = [_message_view(one) for one in said]
    given = feedback.of_thread(thread)
    bills = ledger.of_thread(thread.id)
    for view in messages:
        if view["role"] == Role.ASSISTANT and (bill := bills.get(view["jobId"])):
            view |= bill.public()
        if view["id"] in given:
            view["feedback"] = given[view["id"]]
    return _thread_view(thread) | {"messages": messages}


def _message_view(said: selectors.Said) -> dict[str, Any]:
    message, job = said.message, said.job
    view = {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "createdAt": message.created_at,
        "jobId": message.job_id,
        "status": said.status,
    }
    if job:
        view["requestId"] = job.request_id
    if said.cached:
        view["cached"] = True
    if message.attachment:
        view["attachment"] = message.attachment
    if job and job.error and (message.role == Role.ASSISTANT or not message.content):
        view["error"], view["code"] = job.error, job.error_code
    if message.role == Role.ASSISTANT:
        view["html"] = render(message.content)
    return view


api.add_router("", router)
api.add_router("", voice_router)
api.add_router("", usage_router)
api.add_router("", analytics_router)
api.add_router("", care_router)
api.add_router("", documents_router)
