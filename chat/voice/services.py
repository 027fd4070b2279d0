"""Accept recordings. Plain functions, each one transaction; they block.

The result is a transcript that the sender edits. With `send`, it is a question whose text is filled in after
the transcription, and a reply that waits for it.
"""

from dataclasses import dataclass
from io import SEEK_END
from typing import Any, BinaryIO, Self
from uuid import UUID

from django.conf import settings
from django.db import transaction

from chat.companions.registry import companion_named
from chat.conversations.admission import Admission, Sender, admit
from chat.conversations.messages import Question
from chat.conversations.questions import add_question
from chat.conversations.threads import thread_for
from chat.errors import InvalidInput
from chat.models import Message
from chat.protocol.client_messages import RecordingIn
from chat.replies.transcription import size_of_call
from chat.uploads import storage
from chat.uploads.models import Upload
from chat.usage.budgets import budget_of, reserve
from queueing.api import Job, Submission, submit

from . import texts
from .formats import BY_MEDIA_TYPE, Format, detect
from .length import length_of

KIND = "audio.transcribe"
#: Bytes at the beginning of a file in which formats describe themselves.
LENGTH_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class TranscriptionRequest:
    """The sender's wishes for a recording, without the file."""

    companion: str
    request_id: str
    thread_id: UUID | str | None = None
    send: bool = False
    """True to send the transcript as a message; otherwise it is only returned."""
    language: str = ""
    """A hint such as `en`."""
    seconds: float | None = None
    """The length that the sender reports; it is only displayed."""

    @classmethod
    def of(cls, asked: RecordingIn, request_id: str) -> Self:
        """Return the request in a client's message or form."""
        return cls(
            companion=asked.companion,
            request_id=request_id,
            thread_id=asked.thread_id,
            send=asked.send,
            language=asked.language or "",
            seconds=asked.seconds,
        )


def store_recording(*, owner: str, name: str, stream: BinaryIO) -> Upload:
    """Store a recording for `transcribe_upload`. Raises as `storage.store` does, and for other files."""
    _check_configured()
    media_type = _detected_format(stream).media_type
    return storage.store(owner=owner, name=name, stream=stream, media_type=media_type)


def transcribe_file(
    *, owner: str, name: str, stream: BinaryIO, request: TranscriptionRequest, address: str = ""
) -> Submission:
    """Store a recording and submit it for transcription in one transaction. Raises as both steps do."""
    _check_configured()
    if known := _submitted_before(owner, request.request_id):
        return known
    media_type = _detected_format(stream).media_type
    with _admitted(owner, request, address) as admission, transaction.atomic():
        upload = storage.store(owner=owner, name=name, stream=stream, media_type=media_type)
        return _accept(upload, request, admission)


def transcribe_upload(
    *, owner: str, upload_id: UUID, request: TranscriptionRequest, address: str = ""
) -> Submission:
    """Submit a stored recording for transcription.

    Raises `InvalidInput`, `Thread.DoesNotExist` or `Rejected`; then nothing was changed.
    """
    _check_configured()
    if known := _submitted_before(owner, request.request_id):
        return known
    upload = Upload.objects.filter(owner=owner, id=upload_id).first()
    if upload is None:
        raise InvalidInput("uploadId", texts.UPLOAD_GONE)
    if upload.job_id:
        raise InvalidInput("uploadId", texts.UPLOAD_IN_USE)
    if upload.media_type not in BY_MEDIA_TYPE:
        raise InvalidInput("uploadId", texts.UPLOAD_NOT_AUDIO)
    with _admitted(owner, request, address) as admission, transaction.atomic():
        return _accept(upload, request, admission)


def _check_configured() -> None:
    if not settings.OPENAI_TRANSCRIPTION_MODEL:
        raise InvalidInput("file", texts.NOT_CONFIGURED)


def _detected_format(stream: BinaryIO) -> Format:
    if stream.seek(0, SEEK_END) > storage.MAX_BYTES:
        raise InvalidInput("file", texts.file_too_large(storage.MAX_BYTES))
    return detect(stream)


def _submitted_before(owner: str, request_id: str) -> Submission | None:
    job = Job.objects.filter(owner=owner, request_id=request_id).first()
    if job and job.kind != KIND:
        raise InvalidInput("requestId", texts.REQUEST_ID_USED)
    return Submission(job, created=False) if job else None


def _admitted(owner: str, request: TranscriptionRequest, address: str) -> Admission:
    companion_named(request.companion)
    return admit(Sender(owner, address))


def _accept(upload: Upload, request: TranscriptionRequest, admission: Admission) -> Submission:
    submission = submit(
        KIND,
        {
            "upload_id": upload.id.hex,
            "companion": request.companion,
            "language": request.language,
        },
        owner=upload.owner,
        share=admission.share,
        request_id=request.request_id,
        delay=admission.delay,
        meta=admission.meta,
    )
    if not submission.created:  # the same request, at the same moment
        admission.give_back()
        transaction.set_rollback(True)
        return submission
    storage.bind(upload, submission.job)
    _reserve_budget(upload, submission.job)
    if request.send:
        _add_messages(upload, request, submission.job, Admission(share=admission.share))
    return submission


def _reserve_budget(upload: Upload, job: Job) -> None:
    """Reserve the maximum of the transcription in the owner's budget. Raise `LimitReached` without room."""
    if not any(budget_of(upload.owner)):
        return
    first = upload.chunks.values_list("data", flat=True).first() or b""
    size = size_of_call(length_of(upload.size, upload.media_type, bytes(first)[:LENGTH_BYTES]).maximum)
    reserve(
        upload.owner,
        job.id,
        size.tokens,
        output_tokens=size.output_tokens,
        seconds_of_audio=size.seconds_of_audio,
        model=settings.OPENAI_TRANSCRIPTION_MODEL,
    )


def _add_messages(upload: Upload, request: TranscriptionRequest, job: Job, admission: Admission) -> None:
    """Add the question, still without text, and its waiting reply to the thread."""
    companion = companion_named(request.companion)
    thread = thread_for(upload.owner, companion.id, texts.TITLE, request.thread_id)
    attachment: dict[str, Any] = {"kind": "audio", "name": upload.name}
    if request.seconds is not None:
        attachment["seconds"] = round(request.seconds)
    asked = add_question(
        thread, Question(text="", attachment=attachment, depends_on=[job], admission=admission)
    )
    Message.objects.filter(id=asked.message_id).update(job_id=job.id)
    job.args |= {"message_id": asked.message_id, "reply_id": asked.reply_id}
    job.meta |= {
        "threadId": asked.thread_id,
        "messageId": asked.message_id,
        "replyId": asked.reply_id,
        "replyJobId": asked.job.id.hex,
    }
    Job.objects.filter(id=job.id).update(args=job.args, meta=job.meta)
