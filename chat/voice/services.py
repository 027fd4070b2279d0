"""Accepting a recording. Plain functions, each one transaction; they block.

What comes out is a transcript that its sender edits, or, when it is to be sent straight on, a question
whose words come as soon as they are known and a reply that waits for them.
"""

from dataclasses import dataclass
from io import SEEK_END
from typing import Any, BinaryIO, Self
from uuid import UUID

from django.conf import settings
from django.db import transaction

from chat.companions.registry import companion_named
from chat.conversations import services
from chat.conversations.admission import Admission, Asker, admit
from chat.conversations.threads import thread_for
from chat.errors import InvalidInput
from chat.models import Message
from chat.protocol.client_messages import RecordingIn
from chat.uploads import storage
from chat.uploads.models import Upload
from queueing.api import Job, Submission, submit

from .formats import BY_MEDIA_TYPE, Format, recognise

KIND = "audio.transcribe"
#: What a conversation is called whose first words are not known yet.
TITLE = "Voice message"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What is to be done with a file, as its sender asks."""

    companion: str
    request_id: str
    thread_id: UUID | None = None
    send: bool = False
    """Ask it as soon as its words are known; otherwise they are only handed back."""
    language: str = ""
    """A hint such as `en`."""
    seconds: float | None = None
    """How long it is, as the sender says; only ever shown."""

    @classmethod
    def of(cls, asked: RecordingIn, request_id: str) -> Self:
        """What a client's message or form says."""
        return cls(
            companion=asked.companion,
            request_id=request_id,
            thread_id=asked.thread_id,
            send=asked.send,
            language=asked.language or "",
            seconds=asked.seconds,
        )


def keep(*, owner: str, name: str, stream: BinaryIO) -> Upload:
    """Store a recording for `process`. Raises as `storage.store` does, and for what is no audio."""
    _check_configured()
    return storage.store(owner=owner, name=name, stream=stream, media_type=_checked(stream).media_type)


def process_file(
    *, owner: str, name: str, stream: BinaryIO, recording: Recording, address: str = ""
) -> Submission:
    """`keep` and `process` at once: all or nothing is stored."""
    _check_configured()
    if known := _known(owner, recording.request_id):
        return known
    found = _checked(stream)
    with _admitted(owner, recording, address) as admission, transaction.atomic():
        upload = storage.store(owner=owner, name=name, stream=stream, media_type=found.media_type)
        return _accept(upload, recording, admission)


def process(*, owner: str, upload_id: UUID, recording: Recording, address: str = "") -> Submission:
    """Have a stored recording transcribed.

    Raises `InvalidInput`, `Thread.DoesNotExist` or `Rejected`; then nothing was changed.
    """
    _check_configured()
    if known := _known(owner, recording.request_id):
        return known
    upload = Upload.objects.filter(owner=owner, id=upload_id).first()
    if upload is None:
        raise InvalidInput(
            "uploadId", "This upload is not here, or not any more. Please send the file again."
        )
    if upload.job_id:
        raise InvalidInput("uploadId", "This upload is being worked on already.")
    if upload.media_type not in BY_MEDIA_TYPE:
        raise InvalidInput("uploadId", "This upload is not audio.")
    with _admitted(owner, recording, address) as admission, transaction.atomic():
        return _accept(upload, recording, admission)


def _check_configured() -> None:
    if not settings.OPENAI_TRANSCRIPTION_MODEL:
        raise InvalidInput(
            "file", "Voice messages are not set up here: OPENAI_TRANSCRIPTION_MODEL has to name a model."
        )


def _checked(stream: BinaryIO) -> Format:
    if stream.seek(0, SEEK_END) > storage.MAX_BYTES:  # before it is looked through
        raise InvalidInput("file", f"This file is larger than {storage.MAX_BYTES // 2**20} MB.")
    return recognise(stream)


def _known(owner: str, request_id: str) -> Submission | None:
    job = Job.objects.filter(owner=owner, request_id=request_id).first()
    if job and job.kind != KIND:
        raise InvalidInput("requestId", "This requestId was already used for another kind of job.")
    return Submission(job, created=False) if job else None


def _admitted(owner: str, recording: Recording, address: str) -> Admission:
    companion = companion_named(recording.companion)
    return admit(asker=Asker(owner, address), kind=KIND, companion=companion.id, text="")


def _accept(upload: Upload, recording: Recording, admission: Admission) -> Submission:
    submission = submit(
        KIND,
        {"upload_id": upload.id.hex, "companion": recording.companion, "language": recording.language},
        owner=upload.owner,
        request_id=recording.request_id,
        delay=admission.delay,
        meta=admission.meta,
    )
    if not submission.created:  # the same request, at the same moment
        admission.give_back()
        transaction.set_rollback(True)
        return submission
    storage.bind(upload, submission.job)
    if recording.send:
        _ask(upload, recording, submission.job)
    return submission


def _ask(upload: Upload, recording: Recording, job: Job) -> None:
    """Put the question, without words, and the reply to be into the thread."""
    companion = companion_named(recording.companion)
    thread = thread_for(upload.owner, companion.id, TITLE, recording.thread_id)
    attachment: dict[str, Any] = {"kind": "audio", "name": upload.name}
    if recording.seconds is not None:
        attachment["seconds"] = round(recording.seconds)
    asked = services.say(thread, "", "", attachment=attachment, depends_on=[job])
    Message.objects.filter(id=asked.message_id).update(job_id=job.id)
    job.args |= {"message_id": asked.message_id, "reply_id": asked.reply_id}
    job.meta |= {
        "threadId": asked.thread_id,
        "messageId": asked.message_id,
        "replyId": asked.reply_id,
        "replyJobId": asked.job.id.hex,
    }
    Job.objects.filter(id=job.id).update(args=job.args, meta=job.meta)
