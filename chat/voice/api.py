"""The HTTP endpoints of recordings."""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from ninja import File, Form, Router, Status, UploadedFile

from chat.conversations import serializers
from chat.limits.addresses import client_address
from chat.protocol import client_messages
from chat.protocol.client_messages import RequestId
from chat.protocol.openapi import errors
from chat.protocol.schemas.base import CamelSchema
from chat.protocol.schemas.jobs import TranscriptionOut, UploadOut
from chat.uploads.storage import MAX_BYTES
from queueing.api import Submission, new_id

from . import availability, formats, services

router = Router(by_alias=True, exclude_unset=True, tags=["voice"])


class RecordingForm(client_messages.RecordingIn):
    """The form's fields besides the file."""

    request_id: RequestId | None = None


class RecordingUploadOut(UploadOut):
    """A stored recording."""

    media_type: str


class VoiceOut(CamelSchema):
    """Whether recordings can be transcribed, and if not, why."""

    ready: bool
    reason: str | None = None
    demo: bool
    max_bytes: int
    formats: str


@router.post("/audio", response={202: TranscriptionOut} | errors(400, 404, 413, 422, 503))
async def send_recording(
    request: HttpRequest, file: File[UploadedFile], form: Form[RecordingForm]
) -> Status[Any]:
    """Submit a recording for transcription; with `send=true` its words become a message.

    The answer comes at once; the job's events (`audio:…`) carry the transcript.
    """
    submission = await sync_to_async(services.transcribe_file)(
        owner=request.auth,
        name=file.name or "",
        stream=file,
        request=services.TranscriptionRequest.of(form, form.request_id or new_id().hex),
        address=client_address(request),
    )
    return Status(202, await _view(submission))


@router.post("/audio/uploads", response={201: RecordingUploadOut} | errors(400, 413, 422))
async def upload_recording(request: HttpRequest, file: File[UploadedFile]) -> Status[Any]:
    """Store a recording for the socket's `audio:process`, which refers to it by `uploadId`."""
    upload = await sync_to_async(services.store_recording)(
        owner=request.auth, name=file.name or "", stream=file
    )
    view = {
        "upload_id": upload.id,
        "name": upload.name,
        "size": upload.size,
        "media_type": upload.media_type,
    }
    return Status(201, view)


@router.get("/voice", response=VoiceOut, auth=None)
async def get_voice(request: HttpRequest) -> dict[str, Any]:
    """Return whether recordings can be sent now, and the limits for them."""
    reason = await availability.unavailable_reason()
    view = {
        "ready": not reason,
        "demo": settings.DEMO_SPEECH,
        "max_bytes": MAX_BYTES,
        "formats": formats.NAMES,
    }
    return view | ({"reason": reason} if reason else {})


async def _view(submission: Submission) -> dict[str, Any]:
    job, queued = submission.job, await serializers.queued_event(submission)
    return {
        "jobId": job.id.hex,
        "requestId": job.request_id,
        "queue": job.queue,
        "status": serializers.queued_status(job),
        "position": queued["position"],
        "estimatedWait": queued["estimatedWait"],
        **{name: value for name, value in job.meta.items() if name.endswith("Id")},
    }
