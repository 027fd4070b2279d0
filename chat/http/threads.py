"""Threads and the messages in them over HTTP."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from ninja import Router, Status

from chat.analytics import feedback
from chat.branches.tree import versions_of
from chat.care.http import care_of, care_of_thread, screen_request
from chat.conversations import edit, pages, selectors, serializers, texts, thread_list, versions
from chat.conversations import threads as services
from chat.conversations.renderings import html_of
from chat.conversations.searching.search import SearchResult, search
from chat.conversations.thread_list import Mark
from chat.conversations.transcript import transcript
from chat.errors import InvalidInput
from chat.limits.addresses import client_address
from chat.models import Role, Thread
from chat.protocol.failures import failure_fields
from chat.protocol.openapi import errors, other_than_json
from chat.protocol.schemas.bodies import EditIn, LeafIn, RegenerateIn, RenameIn
from chat.protocol.schemas.jobs import AcceptedOut
from chat.protocol.schemas.threads import ConversationOut, LeafOut, ThreadOut, ThreadsOut
from chat.usage import ledger
from queueing.api import new_id

router = Router(by_alias=True, exclude_unset=True)
#: What `regenerate_message` gets without a body.
_NO_WISHES = RegenerateIn()


@router.get("/threads", response={200: ThreadsOut} | errors(404, 422), tags=["threads"])
async def list_threads(request: HttpRequest, before: str = "", q: str = "") -> dict[str, Any]:
    """List the visitor's threads, newest first.

    `before` continues: with the `next` of a page, or after the thread with this id. With `q`, list those
    whose title or messages have these words, or the phrases in quotation marks. A search of very many
    messages reads for a second: its page may have few threads, or none, and a `next`.
    """
    return await sync_to_async(_list_view)(request.auth, before, q)


def _list_view(owner: str, before: str, query: str) -> dict[str, Any]:
    place = Mark.read(before, owner)
    if query.strip():
        found = search(owner=owner, query=query, before=place)
        views, more = [_result_view(result) for result in found.results], found.next
    else:
        page = thread_list.page(owner=owner, before=place)
        views, more = [_thread_view(thread) for thread in page.threads], page.next
    return {"threads": views, "next": str(more) if more else None}


@router.get("/threads/{thread_id}", response={200: ConversationOut} | errors(404, 422), tags=["threads"])
async def get_thread(
    request: HttpRequest,
    thread_id: UUID,
    before: UUID | None = None,
    after: UUID | None = None,
    around: UUID | None = None,
) -> dict[str, Any]:
    """Return a thread with a page of its messages.

    These are the newest, or with the id of a message those `before`, `after` or `around` it. `earlier` and
    `later` say whether there are more. `care` comes with the newest.
    """
    place = pages.Place(before=before, after=after, around=around)
    if sum(map(bool, (before, after, around))) > 1:
        raise InvalidInput("before", texts.ONE_PLACE)
    view = await sync_to_async(_conversation_view)(owner=request.auth, thread_id=thread_id, place=place)
    if place != pages.Place():
        return view
    return view | await care_of_thread(request, view["messages"])


@router.get(
    "/threads/{thread_id}/transcript.md",
    response={200: None} | errors(404),
    openapi_extra=other_than_json(
        "text/markdown", "# Three days in Lisbon\n\n**You**, 27 November 2026, 18:26"
    ),
    tags=["threads"],
)
async def get_transcript(request: HttpRequest, thread_id: UUID) -> StreamingHttpResponse:
    """Return a thread as a Markdown file, which is read while it is sent."""
    found = await sync_to_async(transcript)(owner=request.auth, thread_id=thread_id)
    response = StreamingHttpResponse(found.parts, content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, found.filename) or "attachment"
    return response


@router.patch(
    "/threads/{thread_id}", response={200: ThreadOut} | errors(400, 404, 413, 422), tags=["threads"]
)
async def rename_thread(request: HttpRequest, thread_id: UUID, body: RenameIn) -> dict[str, Any]:
    """Give a thread another title."""
    thread = await sync_to_async(services.rename_thread)(
        owner=request.auth, thread_id=thread_id, title=body.title
    )
    return _thread_view(thread)


@router.delete("/threads/{thread_id}", response={204: None} | errors(404), tags=["threads"])
async def delete_thread(request: HttpRequest, thread_id: UUID) -> Status[Any]:
    """Delete a thread and cancel the replies being written in it."""
    await sync_to_async(services.delete_thread)(owner=request.auth, thread_id=thread_id)
    return Status(204, None)


@router.patch(
    "/messages/{message_id}",
    response={202: AcceptedOut} | errors(400, 404, 409, 413, 422, 503),
    tags=["messages"],
)
async def edit_message(request: HttpRequest, message_id: UUID, body: EditIn) -> Status[Any]:
    """Change a message.

    One that still waits keeps its position. Otherwise it is asked again as another version: the one before
    it, and all messages after that, stay in a branch that can be chosen again.
    """
    await screen_request(request, body.content)
    change = edit.MessageEdit(
        owner=request.auth,
        message_id=message_id,
        text=body.content,
        request_id=body.request_id or new_id().hex,
        only_if_waiting=body.only_if_waiting,
        address=client_address(request),
    )
    result = await sync_to_async(edit.edit_message)(change)
    return Status(202, await serializers.accepted_view(result.accepted) | care_of(request))


@router.post(
    "/messages/{reply_id}/regenerate",
    response={202: AcceptedOut} | errors(400, 404, 409, 422, 503),
    tags=["messages"],
)
async def regenerate_message(
    request: HttpRequest, reply_id: UUID, body: RegenerateIn = _NO_WISHES
) -> Status[Any]:
    """Ask for another answer to the same question.

    The answers are versions of each other. The new one is chosen; if it ends without a word, the one before
    it is chosen again.
    """
    wish = versions.Regeneration(
        owner=request.auth,
        reply_id=reply_id,
        request_id=body.request_id or new_id().hex,
        address=client_address(request),
    )
    return Status(202, await serializers.accepted_view(await sync_to_async(versions.regenerate)(wish)))


@router.put("/threads/{thread_id}/leaf", response={200: LeafOut} | errors(400, 404, 422), tags=["threads"])
async def choose_branch(request: HttpRequest, thread_id: UUID, body: LeafIn) -> dict[str, Any]:
    """Choose the branch of a message, of several versions: it is what all devices show and the model reads.

    Of the branches that go on from this message the newest is chosen. A branch that is chosen already stays.
    """
    leaf = await sync_to_async(versions.choose_version)(
        owner=request.auth, thread_id=thread_id, message_id=body.message_id
    )
    return {"leafId": leaf}


@router.delete("/messages/{message_id}", response={204: None} | errors(404, 409), tags=["messages"])
async def withdraw_message(request: HttpRequest, message_id: UUID) -> Status[Any]:
    """Withdraw a message that still waits, and its empty reply."""
    await sync_to_async(edit.withdraw_message)(owner=request.auth, message_id=message_id)
    return Status(204, None)


def _thread_view(thread: Thread) -> dict[str, Any]:
    return {
        "id": thread.id,
        "title": thread.title,
        "companion": thread.companion,
        "createdAt": thread.created_at,
        "updatedAt": thread.updated_at,
    }


def _result_view(result: SearchResult) -> dict[str, Any]:
    view = _thread_view(result.thread)
    if result.title:
        view["titleMatch"] = asdict(result.title)
    if result.snippet:
        view |= {"messageId": result.message_id, "snippet": asdict(result.snippet)}
        view |= {} if result.is_chosen else {"otherBranch": True}
    return view


def _conversation_view(*, owner: str, thread_id: UUID, place: pages.Place) -> dict[str, Any]:
    """Return the thread with a page of messages. Reads the database, and may render: call it in a thread."""
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    page = pages.page(thread, place)
    replies = [item.message for item in page.items if item.message.role == Role.ASSISTANT]
    html = html_of([reply for reply in replies if reply.content])
    ratings = feedback.of_messages([reply.pk for reply in replies])
    totals = ledger.totals_of_jobs([reply.job_id for reply in replies])
    siblings = versions_of(thread.pk, [item.message.pk for item in page.items])
    messages = []
    for item in page.items:
        view = _message_view(item)
        if item.message.role == Role.ASSISTANT:
            view["html"] = html.get(item.message.pk, "")
            view |= totals[item.message.job_id].public() if item.message.job_id in totals else {}
        if item.message.pk in ratings:
            view["feedback"] = ratings[item.message.pk]
        if item.message.pk in siblings:
            view["versions"] = siblings[item.message.pk]
        messages.append(view)
    return _thread_view(thread) | {"messages": messages, "earlier": page.earlier, "later": page.later}


def _message_view(item: pages.MessageWithJob) -> dict[str, Any]:
    message, job = item.message, item.job
    view = {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "createdAt": message.created_at,
        "jobId": message.job_id,
        "status": item.status,
    }
    if job:
        view["requestId"] = job.request_id
    if message.role == Role.ASSISTANT and (seconds := getattr(job, "thought_seconds", None)):
        view["thoughtSeconds"] = seconds
    if item.cached:
        view["cached"] = True
    if message.attachment:
        view["attachment"] = message.attachment
    if job and job.error and (message.role == Role.ASSISTANT or not message.content):
        view |= {"error": job.error, "code": job.error_code} | failure_fields(job.error_code)
    elif message.is_incomplete and not job:
        view |= {"error": texts.INCOMPLETE, "canRetry": False, "advice": ""}
    if message.is_incomplete:
        view["incomplete"] = True
    return view
