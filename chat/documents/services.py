"""Accept documents. Plain functions, each one transaction; they block."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, BinaryIO, Self
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from chat.companions.registry import companion_named
from chat.conversations.admission import Admission, Sender, admit
from chat.conversations.blank import is_blank
from chat.conversations.characters import check_characters
from chat.conversations.messages import AcceptedMessage, Question, accepted_before
from chat.conversations.questions import add_question
from chat.conversations.threads import thread_for
from chat.errors import InvalidInput
from chat.protocol import client_messages
from chat.uploads import storage
from chat.uploads.models import Upload
from queueing.api import UNFINISHED, Job, JobError

from . import sandbox, texts
from .analysis.cost import DocumentCost
from .analysis.model_session import ModelSession
from .analysis.prompts import shortened
from .models import Analysis
from .reader import Document, Unreadable, text, validated
from .texts import DEFAULT_QUESTION

KIND = "analysis.document"
MAX_QUESTION = 2_000
#: How long a document is kept after its job failed or was cancelled, so that the job can be retried.
KEEP = timedelta(days=7)
#: Documents that one sweep deletes.
_SWEEP_BATCH = 20


@dataclass(frozen=True, kw_only=True)
class AnalysisRequest:
    """A question about a document, without the document."""

    owner: str
    companion: str
    request_id: str
    question: str = ""
    """Empty for the default question."""
    thread_id: UUID | str | None = None
    address: str = ""
    """The `client_address`, if known."""

    @classmethod
    def of(cls, asked: client_messages.DocumentIn, *, owner: str, request_id: str, address: str) -> Self:
        """Return the request in a client's message or form."""
        return cls(
            owner=owner,
            companion=asked.companion,
            request_id=request_id,
            question=asked.question,
            thread_id=asked.thread_id,
            address=address,
        )


@dataclass(frozen=True, kw_only=True)
class SourceDocument:
    """A document that was read, with the name and size (in bytes) of its file."""

    name: str
    size: int
    content: Document
    cost: DocumentCost | None
    """The estimate; None if it is unknown."""


def analyse_file(request: AnalysisRequest, *, stream: BinaryIO | UploadedFile, name: str) -> AcceptedMessage:
    """Submit a file for analysis. Raises as `_accept` does, and `InvalidInput("file", …)` if unreadable."""

    def read() -> tuple[Document, int]:
        return sandbox.read(stream, name), stream.tell()

    return _accept(request, name, read)


def analyse_upload(request: AnalysisRequest, *, upload_id: UUID) -> AcceptedMessage:
    """Submit a stored file for analysis, and delete it from the store. Raises as `analyse_file` does."""
    upload = Upload.objects.filter(owner=request.owner, id=upload_id, job_id=None).first()
    if upload is None:
        if known := accepted_before(request.owner, request.request_id):
            return known
        raise InvalidInput("uploadId", texts.UPLOAD_GONE)
    asked = analyse_file(request, stream=io.BytesIO(storage.read(upload.id)), name=upload.name)
    storage.discard(upload.id)
    return asked


def analyse_text(
    request: AnalysisRequest, *, words: str, field: str = "text", name: str = texts.PASTED_TEXT
) -> AcceptedMessage:
    """Submit text for analysis. Raises as `_accept` does, and `InvalidInput` on `field` if unreadable."""

    def read() -> tuple[Document, int]:
        try:
            return validated(text.read(words, name)), len(words.encode(errors="replace"))
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
) -> AcceptedMessage:
    """Submit the document of a client's message or form; `file` is the form's file."""
    request = AnalysisRequest.of(asked, owner=owner, request_id=request_id, address=address)
    upload_id = getattr(asked, "upload_id", None)
    if [file, asked.text, upload_id].count(None) != 2:
        raise InvalidInput("file", texts.SEND_ONE)
    if upload_id:
        return analyse_upload(request, upload_id=upload_id)
    if file:
        return analyse_file(request, stream=file, name=asked.name or file.name or "")
    return analyse_text(request, words=asked.text or "", name=asked.name or texts.PASTED_TEXT)


def _accept(request: AnalysisRequest, name: str, read: Callable[[], tuple[Document, int]]) -> AcceptedMessage:
    """Save a question about a document, the empty reply that becomes its report, and the job that reads it.

    `read` returns the document and its size in bytes. Raises `InvalidInput` (with the field),
    `Thread.DoesNotExist`, or `Rejected`; then nothing was written.
    """
    if known := accepted_before(request.owner, request.request_id):
        return known  # it costs nothing: the file is not read again
    companion = companion_named(request.companion)
    question = _checked_question(request.question) or DEFAULT_QUESTION
    request = replace(request, companion=companion.id, question=question)
    # Admission comes before reading, and is not given back when the file is unreadable: reading is work, too.
    admission = admit(Sender(request.owner, request.address))
    content, size = read()
    document = SourceDocument(
        name=display_name(name), size=size, content=content, cost=_checked_cost(request, name, content)
    )
    with admission:
        admission.count_calls(document.cost.calls if document.cost else 1)
        asked = _save(request, document, admission)
        if not asked.created:
            admission.give_back()
    return asked


def _checked_cost(request: AnalysisRequest, name: str, content: Document) -> DocumentCost | None:
    """Return the estimated cost; None if the model's window is too small, which the job will report.

    Raise `InvalidInput` when it is too high.
    """
    try:
        session = ModelSession.configured(request.question, name, request.companion)
    except JobError:
        return None
    cost = DocumentCost.estimated(session, content.text, content.kind)
    if not cost.is_allowed:
        raise InvalidInput("file", texts.too_many_calls(cost.calls))
    return cost


@transaction.atomic
def _save(request: AnalysisRequest, document: SourceDocument, admission: Admission) -> AcceptedMessage:
    title = document.name if request.question == DEFAULT_QUESTION else request.question
    thread = thread_for(request.owner, request.companion, title, request.thread_id)
    attachment: dict[str, Any] = {"kind": "document", "name": document.name, "size": document.size}
    if document.content.pages:
        attachment["pages"] = document.content.pages
    if document.cost:
        attachment["cost"] = document.cost.public()
    question = Question(
        text=request.question,
        request_id=request.request_id,
        kind=KIND,
        attachment=attachment,
        admission=admission,
        size=document.cost.size if document.cost else None,
    )
    asked = add_question(thread, question)
    if asked.created:
        _save_analysis(document, asked.reply_id)
    return asked


def _save_analysis(document: SourceDocument, reply_id: str) -> None:
    content = document.content
    Analysis.objects.create(
        reply_id=reply_id,
        name=document.name,
        size=document.size,
        kind=content.kind,
        pages=content.pages,
        columns=content.columns,
        skipped=content.skipped,
        text=content.text,
    )


def _checked_question(question: str) -> str:
    question = question.strip()
    if len(question) > MAX_QUESTION:
        raise InvalidInput("question", texts.question_too_long(len(question), MAX_QUESTION))
    return "" if is_blank(check_characters(question, "question")) else question


def display_name(name: str) -> str:
    """Return the last part of a file's path on one line, shortened to what the database stores."""
    last = name.replace("\\", "/").rpartition("/")[2]
    line = "".join(c for c in last if c.isprintable()).strip()
    if is_blank(line):
        return texts.UNNAMED
    return shortened(line, Analysis._meta.get_field("name").max_length or 0)


def sweep() -> int:
    """Delete a batch of documents whose failed or cancelled job was not retried in time; return how many."""
    before = timezone.now() - KEEP
    job = Job.objects.filter(id=OuterRef("reply__job_id"))
    needed = job.filter(Q(state__in=UNFINISHED) | Q(finished_at__gte=before))
    old = Analysis.objects.filter(~Exists(needed), created_at__lt=before)
    ids = list(old.values_list("pk", flat=True)[:_SWEEP_BATCH])
    Analysis.objects.filter(pk__in=ids).delete()
    return len(ids)
