"""Accepting documents. Plain functions, each one transaction; they block."""

import io
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from chat import services, wire
from chat.admission import Asker, admit
from chat.companions import companion_named
from chat.services import Asked
from chat.uploads import storage
from chat.uploads.models import Upload
from queueing.errors import BadSubmission
from queueing.models import Job
from queueing.states import UNFINISHED

from . import sandbox
from .models import Analysis
from .prompts import DEFAULT_QUESTION, shortened
from .reader import Document, Unreadable, checked, text

KIND = "analysis.document"
MAX_QUESTION = 2_000
#: What text without a file is called.
PASTED = "Pasted text"
#: How long a document is kept whose reading failed or was stopped, so that it can be tried again.
KEEP = timedelta(days=7)
_AT_ONCE = 20


def analyse_file(*, stream: BinaryIO | UploadedFile, name: str, **asked: Any) -> Asked:
    """Have a file read; `asked` is as for `analyse`. Raises `BadSubmission("file", …)` for what cannot be."""
    if known := _known(asked):
        return known
    document = sandbox.read(stream, name)
    return analyse(document, name=name, size=stream.tell(), **asked)


def analyse_upload(*, upload_id: UUID, owner: str, **asked: Any) -> Asked:
    """Have a stored file read, and removed from the store. Otherwise as `analyse_file`."""
    if known := _known({"owner": owner, **asked}):
        return known
    upload = Upload.objects.filter(owner=owner, id=upload_id, job_id=None).first()
    if upload is None:
        raise BadSubmission("uploadId", "This upload is not here, or not any more. Please send it again.")
    stream = io.BytesIO(storage.read(upload.id))
    done = analyse_file(stream=stream, name=upload.name, owner=owner, **asked)
    storage.discard(upload.id)
    return done


def analyse_text(*, words: str, field: str = "text", name: str = PASTED, **asked: Any) -> Asked:
    """Have text read that came without a file. Raises `BadSubmission` on `field` for what cannot be."""
    if known := _known(asked):
        return known
    try:
        document = checked(text.read(words, name))
    except Unreadable as exc:
        raise BadSubmission(field, exc.message) from None
    size = len(words.encode(errors="replace"))
    return analyse(document, name=name, size=size, **asked)


def analyse_message(
    message: wire.DocumentIn,
    *,
    owner: str,
    request_id: str,
    address: str,
    file: UploadedFile | None = None,
) -> Asked:
    """Have done what a client's message or form says; `file` is what came with a form."""
    asked: dict[str, Any] = {
        "owner": owner,
        "companion": message.companion,
        "question": message.question,
        "thread_id": message.thread_id,
        "request_id": request_id,
        "address": address,
    }
    upload_id = getattr(message, "upload_id", None)
    if [file, message.text, upload_id].count(None) != 2:
        raise BadSubmission("file", "Send one document: a file, a text, or the id of an upload.")
    if upload_id:
        return analyse_upload(upload_id=upload_id, **asked)
    if file:
        return analyse_file(stream=file, name=message.name or file.name or "", **asked)
    return analyse_text(words=message.text or "", name=message.name or PASTED, **asked)


def _known(asked: dict[str, Any]) -> Asked | None:
    """What was accepted under this request id: repeating it costs nothing, least of all another reading."""
    return services.asked_before(asked["owner"], asked["request_id"])


def analyse(
    document: Document,
    *,
    name: str,
    size: int,
    owner: str,
    companion: str,
    request_id: str,
    question: str = "",
    thread_id: UUID | None = None,
    address: str = "",
) -> Asked:
    """Save a question about a document, the empty reply that will be its report, and the job that reads it.

    Raises `BadSubmission` (with the field), `Thread.DoesNotExist`, or `Rejected`; then nothing was written.
    """
    profile = companion_named(companion)
    question = _checked_question(question) or DEFAULT_QUESTION
    name = shown(name)
    asker = Asker(owner, address)
    with admit(asker=asker, kind=KIND, companion=profile.id, text=question) as admission:
        with transaction.atomic():
            title = name if question == DEFAULT_QUESTION else question
            thread = services.thread_for(owner, profile.id, title, thread_id)
            attachment = {"kind": "document", "name": name, "size": size}
            if document.pages:
                attachment["pages"] = document.pages
            asked = services.say(
                thread, question, request_id, kind=KIND, attachment=attachment, admission=admission
            )
            if asked.created:
                _keep(document, asked.reply_id, name, size)
        if not asked.created:
            admission.give_back()
    return asked


def _keep(document: Document, reply_id: str, name: str, size: int) -> None:
    Analysis.objects.create(
        reply_id=reply_id,
        name=name,
        size=size,
        kind=document.kind,
        pages=document.pages,
        columns=document.columns,
        skipped=document.skipped,
        text=document.text,
    )


def _checked_question(question: str) -> str:
    if not question.strip():
        return ""
    try:
        question = services.checked(question.strip())
    except BadSubmission as exc:
        raise BadSubmission("question", exc.message) from None
    if len(question) > MAX_QUESTION:
        message = f"This question has {len(question):,} characters; {MAX_QUESTION:,} is the most."
        raise BadSubmission("question", message)
    return question


def shown(name: str) -> str:
    """The last part of a file's name on one line, no longer than is stored."""
    last = name.replace("\\", "/").rpartition("/")[2]
    line = "".join(c for c in last if c.isprintable()).strip()
    return shortened(line, Analysis._meta.get_field("name").max_length or 0) or "document"


def sweep() -> int:
    """Remove some documents that wait for a second try that nobody asked for; how many."""
    needed = Job.objects.filter(state__in=UNFINISHED).values("id")
    old = Analysis.objects.filter(created_at__lt=timezone.now() - KEEP)
    ids = list(old.exclude(reply__job_id__in=needed).values_list("pk", flat=True)[:_AT_ONCE])
    Analysis.objects.filter(pk__in=ids).delete()
    return len(ids)
