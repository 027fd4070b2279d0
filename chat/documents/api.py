"""The HTTP endpoints of documents."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import File, Router, Status, UploadedFile
from ninja.errors import HttpError, ValidationError
from pydantic import ValidationError as PydanticError

from chat.care.http import care_of, screen_request
from chat.conversations import serializers
from chat.limits.addresses import client_address
from chat.protocol import client_messages, json_text
from chat.protocol.client_messages import RequestId
from chat.protocol.openapi import errors, other_than_json
from chat.protocol.schemas.jobs import AcceptedOut, UploadOut
from chat.uploads import storage
from queueing.api import new_id

from . import selectors, services, texts
from .reader import MAX_BYTES

router = Router(by_alias=True, exclude_unset=True, tags=["documents"])


class AnalysisIn(client_messages.DocumentIn):
    """A question about a document: its content in `text`, or in the file of a form."""

    request_id: RequestId | None = None


_FIELDS = AnalysisIn.model_json_schema()
_FILE = {"file": {"type": "string", "format": "binary"}}
_FORM = _FIELDS | {"properties": _FIELDS["properties"] | _FILE}
_BODIES = {"application/json": {"schema": _FIELDS}, "multipart/form-data": {"schema": _FORM}}


@router.post(
    "/analysis",
    response={202: AcceptedOut} | errors(400, 404, 413, 422, 503),
    openapi_extra={"requestBody": {"required": True, "content": _BODIES}},
)
async def analyse_document(request: HttpRequest) -> Status[Any]:
    """Submit a document for analysis: a form with a `file`, or JSON with its `text`.

    The answer comes at once; the job's events (`analysis:…`) carry the notes of each part and the report.
    """
    body, file = await sync_to_async(_parse)(request)
    await screen_request(request, body.question, body.companion)
    asked = await sync_to_async(services.analyse_message)(
        body,
        owner=request.auth,
        request_id=body.request_id or new_id().hex,
        address=client_address(request),
        file=file,
    )
    return Status(202, await serializers.accepted_view(asked) | care_of(request))


def _parse(request: HttpRequest) -> tuple[AnalysisIn, Any]:
    """Return the fields, and the file of a form. Raises ninja's `ValidationError` as its own parsing does."""
    try:
        if request.content_type != "multipart/form-data":
            return AnalysisIn.model_validate(_json(request)), None
        fields = {name: value for name, value in request.POST.items() if value != ""}
        return AnalysisIn.model_validate(fields), request.FILES.get("file")
    except PydanticError as exc:
        errors: list[Any] = exc.errors(include_url=False, include_input=False, include_context=False)
        raise ValidationError([error | {"loc": ("form", *error["loc"])} for error in errors]) from None


def _json(request: HttpRequest) -> Any:
    try:
        return json_text.read(request.body)
    except (ValueError, RecursionError):
        raise HttpError(400, texts.INVALID_JSON) from None


@router.post("/analysis/uploads", response={201: UploadOut} | errors(400, 413, 422))
async def upload_document(request: HttpRequest, file: File[UploadedFile]) -> Status[Any]:
    """Store a document for the socket's `analysis:large`, which refers to it by `uploadId`."""
    upload = await sync_to_async(storage.store)(
        owner=request.auth, name=file.name or "", stream=file, max_bytes=MAX_BYTES
    )
    return Status(201, {"upload_id": upload.id, "name": upload.name, "size": upload.size})


@router.get(
    "/analysis/{job_id}/report.md",
    response={200: None} | errors(404),
    openapi_extra=other_than_json("text/markdown", "# harbour.md\n\n## Summary\n\nMore ships each year."),
    url_name="report",
)
async def get_report(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Return a finished report as a Markdown file."""
    found = await sync_to_async(selectors.report)(owner=request.auth, job_id=job_id)
    response = HttpResponse(found.markdown, content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, found.filename) or "attachment"
    return response
