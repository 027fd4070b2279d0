"""Recordings over HTTP."""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from ninja import File, Form, Router, Status, UploadedFile

from chat.conversations import serializers
from chat.limits.addresses import client_address
from chat.protocol import client_messages
from chat.protocol.openapi import errors
from chat.protocol.schemas import CamelSchema, HexId, RequestId, Wait
from chat.uploads.storage import MAX_BYTES
from queueing.api import Submission, events, new_id

from . import availability, formats, services

router = Router(by_alias=True, exclude_unset=True, tags=["voice"])


class RecordingForm(client_messages.RecordingIn):
    """The form's fields besides the file."""

    request_id: RequestId | None = None


class HeardOut(CamelSchema):
    job_id: HexId
    request_id: str
    queue: str
    status: str
    position: int | None
    estimated_wait: Wait | None
    thread_id: HexId | None = None
    message_id: HexId | None = None
    reply_id: HexId | None = None
    reply_job_id: HexId | None = None


class RecordingUploadOut(CamelSchema):
    upload_id: HexId
    name: str
    size: int
    media_type: str


class VoiceOut(CamelSchema):
    ready: bool
    reason: str | None = None
    demo: bool
    max_bytes: int
    formats: str


@router.post("/audio", response={202: HeardOut} | errors(400, 404, 413, 422, 503))
async def send_recording(
    request: HttpRequest, file: File[UploadedFile], form: Form[RecordingForm]
) -> Status[Any]:
    """Have a recording written down, and asked with `send=true`. Answers at once; the job's events
    (`audio:…`) bring the transcript."""
    done = await sync_to_async(services.process_file)(
        owner=request.auth,
        name=file.name or "",
        stream=file,
        recording=services.Recording.of(form, form.request_id or new_id().hex),
        address=client_address(request),
    )
    return Status(202, await _view(done))


@router.post("/audio/uploads", response={201: RecordingUploadOut} | errors(400, 413, 422))
async def upload_recording(request: HttpRequest, file: File[UploadedFile]) -> Status[Any]:
    """Store a recording for the socket's `audio:process`, which names it by its `uploadId`."""
    kept = await sync_to_async(services.keep)(owner=request.auth, name=file.name or "", stream=file)
    view = {"upload_id": kept.id, "name": kept.name, "size": kept.size, "media_type": kept.media_type}
    return Status(201, view)


@router.get("/voice", response=VoiceOut, auth=None)
async def get_voice(request: HttpRequest) -> dict[str, Any]:
    """Whether recordings can be sent now, and what is taken."""
    reason = await availability.missing()
    view = {
        "ready": not reason,
        "demo": settings.DEMO_SPEECH,
        "max_bytes": MAX_BYTES,
        "formats": formats.NAMES,
    }
    return view | ({"reason": reason} if reason else {})


async def _view(done: Submission) -> dict[str, Any]:
    job, place = done.job, await events.standing_of(done.job)
    return {
        "jobId": job.id.hex,
        "requestId": job.request_id,
        "queue": job.queue,
        "status": serializers.queued_status(job),
        "position": place.position,
        "estimatedWait": place.wait,
        **{name: value for name, value in job.meta.items() if name.endswith("Id")},
    }
