"""Accepting documents. Plain functions, each one transaction; they block."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Self
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from chat.companions.registry import companion_named
from chat.conversations import services
from chat.conversations.admission import Admission, Asker, admit
from chat.conversations.services import Asked
from chat.conversations.threads import thread_for
from chat.errors import InvalidInput
from chat.protocol import client_messages
from chat.uploads import storage
from chat.uploads.models import Upload
from queueing.api import UNFINISHED, Job

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


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks about a document, whatever that is."""

    owner: str
    companion: str
    request_id: str
    question: str = ""
    """Empty for the one that is asked when nothing else is."""
    thread_id: UUID | None = None
    address: str = ""
    """A `client_address`, where it is known."""

    @classmethod
    def of(cls, asked: client_messages.DocumentIn, *, owner: str, request_id: str, address: str) -> Self:
        """What a client's message or form says."""
        return cls(
            owner=owner,
            companion=asked.companion,
            request_id=request_id,
            question=asked.question,
            thread_id=asked.thread_id,
            address=address,
        )


def analyse_file(request: Request, *, stream: BinaryIO | UploadedFile, name: str) -> Asked:
    """Have a file read. Raises as `_accept` does, and `InvalidInput("file", …)` for what cannot be read."""

    def read() -> tuple[Document, int]:
        return sandbox.read(stream, name), stream.tell()

    return _accept(request, name, read)


def analyse_upload(request: Request, *, upload_id: UUID) -> Asked:
    """Have a stored file read, and removed from the store. Otherwise as `analyse_file`."""
    upload = Upload.objects.filter(owner=request.owner, id=upload_id, job_id=None).first()
    if upload is None:
        if known := services.asked_before(request.owner, request.request_id):
            return known
        raise InvalidInput("uploadId", "This upload is not here, or not any more. Please send it again.")
    done = analyse_file(request, stream=io.BytesIO(storage.read(upload.id)), name=upload.name)
    storage.discard(upload.id)
    return done


def analyse_text(request: Request, *, words: str, field: str = "text", name: str = PASTED) -> Asked:
    """Have text read that came without a file. Raises as `_accept` does, and `InvalidInput` on `field`."""

    def read() -> tuple[Document, int]:
        try:
            return checked(text.read(words, name)), len(words.encode(errors="replace"))
        except Unreadable as exc:
            raise InvalidInput(field, exc.message) from None

    return _accept(request, name, read)


def analyse_message(
    asked: client_messages.DocumentIn,
    *,
    owner: str,
    request_id: str,
    address: str,
    file: UploadedFile | None = None,
) -> Asked:
    """Have done what a client's message or form says; `file` is what came with a form."""
    request = Request.of(asked, owner=owner, request_id=request_id, address=address)
    upload_id = getattr(asked, "upload_id", None)
    if [file, asked.text, upload_id].count(None) != 2:
        raise InvalidInput("file", "Send one document: a file, a text, or the id of an upload.")
    if upload_id:
        return analyse_upload(request, upload_id=upload_id)
    if file:
        return analyse_file(request, stream=file, name=asked.name or file.name or "")
    return analyse_text(request, words=asked.text or "", name=asked.name or PASTED)


def _accept(request: Request, name: str, read: Callable[[], tuple[Document, int]]) -> Asked:
    """Save a question about a document, the empty reply that will be its report, and the job that reads it.

    `read` gives the document and its size in bytes. Raises `InvalidInput` (with the field),
    `Thread.DoesNotExist`, or `Rejected`; then nothing was written.
    """
    if known := services.asked_before(request.owner, request.request_id):
        return known  # it costs nothing, least of all another reading
    profile = companion_named(request.companion)
    question = _checked_question(request.question) or DEFAULT_QUESTION
    asker = Asker(request.owner, request.address)
    # Before the file is looked at, and not given back when it cannot be read: that was work, too.
    admission = admit(asker=asker, kind=KIND, companion=profile.id, text=question)
    document, size = read()
    with admission:
        asked = _save(request, profile.id, question, shown(name), document, size, admission)
        if not asked.created:
            admission.give_back()
    return asked


@transaction.atomic
def _save(
    request: Request,
    companion: str,
    question: str,
    name: str,
    document: Document,
    size: int,
    admission: Admission,
) -> Asked:
    title = name if question == DEFAULT_QUESTION else question
    thread = thread_for(request.owner, companion, title, request.thread_id)
    attachment = {"kind": "document", "name": name, "size": size}
    if document.pages:
        attachment["pages"] = document.pages
    asked = services.say(
        thread, question, request.request_id, kind=KIND, attachment=attachment, admission=admission
    )
    if asked.created:
        _keep(document, asked.reply_id, name, size)
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
    except InvalidInput as exc:
        raise InvalidInput("question", exc.message) from None
    if len(question) > MAX_QUESTION:
        message = f"This question has {len(question):,} characters; {MAX_QUESTION:,} is the most."
        raise InvalidInput("question", message)
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
