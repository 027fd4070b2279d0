"""The messages of clients on a socket, and their validation."""

import json
import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from chat.errors import ChatError, InvalidInput

from . import json_text, texts

_NAME = r"^[A-Za-z0-9._:-]{1,64}$"
#: The client's own id of a request.
RequestId = Annotated[str, Field(pattern=_NAME)]


def _id_or_name(text: str) -> UUID | str:
    try:
        return UUID(text)
    except ValueError:
        return text


#: The id of a thread, or the client's own name for one, such as `thread_123`.
ThreadKey = Annotated[str, Field(pattern=_NAME), AfterValidator(_id_or_name)]

#: Bytes of one frame. A message of the most characters fits, also when each is a control, which JSON escapes.
MAX_FRAME = 128 * 1024
#: Where the client's id is in a frame that cannot be read. In a text of the client its quotes are escaped.
_REQUEST_ID = re.compile(r'(?<!\\)"requestId"\s*:\s*"([A-Za-z0-9._:-]{1,64})"')


class BadFrame(ChatError):
    """A frame that cannot be accepted. `request_id` is the client's, as far as it could be read."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, message, field=field)
        self.request_id = request_id
        self.retry_after = retry_after


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class MessageIn(_Model):
    """A message as clients send it."""

    role: Literal["user", "assistant"]
    content: str


#: The messages of a conversation. The first wrong one is named, and no other is looked at.
Messages = Annotated[list[MessageIn], Field(min_length=1, fail_fast=True)]


class Ask(_Model):
    """`chat:message`."""

    type: Literal["chat:message"]
    request_id: RequestId
    companion: str = Field(validation_alias=AliasChoices("companion", "assistantId"))
    thread_id: ThreadKey | None = None
    messages: Messages


class Edit(_Model):
    """`message:edit`."""

    type: Literal["message:edit"]
    message_id: UUID
    content: str
    request_id: RequestId | None = None
    only_if_waiting: bool = False


class Withdraw(_Model):
    """`message:withdraw`."""

    type: Literal["message:withdraw"]
    message_id: UUID


class Regenerate(_Model):
    """`message:regenerate`; `message_id` is that of the answer."""

    type: Literal["message:regenerate"]
    message_id: UUID
    request_id: RequestId | None = None


class RecordingIn(_Model):
    """What the client wants done with a recording."""

    companion: str = Field(validation_alias=AliasChoices("companion", "assistantId"))
    thread_id: ThreadKey | None = None
    send: bool = False
    """True to send the transcript as a message; otherwise it is only returned, to be edited."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    """A hint, ISO 639: `en`."""
    seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """The length of the recording; it is only displayed."""


class Process(RecordingIn):
    """`audio:process`: a recording that was uploaded over HTTP, because a frame is too small for it."""

    type: Literal["audio:process"]
    request_id: RequestId
    upload_id: UUID


class DocumentIn(_Model):
    """A question about a document."""

    companion: str = Field(validation_alias=AliasChoices("companion", "assistantId"))
    thread_id: ThreadKey | None = None
    question: str = ""
    text: str | None = None
    """The document itself, if it is not a file."""
    name: Annotated[str, Field(max_length=255)] | None = None
    """The document's name; a file's own name otherwise."""


class Analyse(DocumentIn):
    """`analysis:large`: a text that fits into a frame, or a file that was uploaded over HTTP."""

    type: Literal["analysis:large"]
    request_id: RequestId
    upload_id: UUID | None = None


class Watch(_Model):
    """`job:watch`."""

    type: Literal["job:watch"]
    job_id: UUID
    offset: int = Field(default=0, ge=0)
    run: int | None = Field(default=None, ge=1)


class Render(Watch):
    """`job:render`; `offset` is the end of the settled blocks of `run` that the client has."""

    type: Literal["job:render"]  # type: ignore[assignment]


class Cancel(_Model):
    """`job:cancel`."""

    type: Literal["job:cancel"]
    job_id: UUID


class Retry(_Model):
    """`job:retry`."""

    type: Literal["job:retry"]
    job_id: UUID


class Ping(_Model):
    """`ping`; `t` is returned unchanged."""

    type: Literal["ping"]
    t: Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=64)] | None = None


class Pong(_Model):
    """`pong`; `t` is that of the server's `ping`."""

    type: Literal["pong"]
    t: int


ClientMessage = (
    Ask | Process | Analyse | Edit | Regenerate | Withdraw | Watch | Render | Cancel | Retry | Ping | Pong
)
#: The messages that change nothing.
READING = (Watch, Render, Ping, Pong)
#: Messages after which nothing more is stored than before.
ADDING_NOTHING = (*READING, Cancel, Withdraw)
_client_message: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)


def parse(text: str | None) -> ClientMessage:
    """Return the client message in a frame (None for a binary one), or raise `BadFrame`."""
    if text is None:
        raise BadFrame("binary", texts.NOT_TEXT)
    if len(text.encode()) > MAX_FRAME:
        raise BadFrame("too_large", texts.frame_too_large(MAX_FRAME // 1024), request_id=_request_id_in(text))
    try:
        data = json_text.read(text)
        is_unicode = _is_unicode(data)
    except (ValueError, RecursionError):
        raise BadFrame("bad_json", texts.NOT_JSON, request_id=_request_id_in(text)) from None
    if not is_unicode:  # it could not be stored or sent back
        raise BadFrame("invalid", texts.HALF_SURROGATE, request_id=_request_id_in(text))
    request_id = data.get("requestId", "") if isinstance(data, dict) else ""
    try:
        return _client_message.validate_python(data)
    except ValidationError as exc:
        raise _bad_frame(exc, request_id if isinstance(request_id, str) else "") from None


def _request_id_in(text: str) -> str:
    """Return the client's id in a frame that is refused: without it, the error belongs to no message."""
    found = _REQUEST_ID.search(text)
    return found[1] if found else ""


def _is_unicode(data: object) -> bool:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _bad_frame(exc: ValidationError, request_id: str) -> BadFrame:
    first = exc.errors(include_url=False, include_input=False)[0]
    if first["type"].startswith("union_tag"):
        return BadFrame("unknown_type", texts.UNKNOWN_TYPE, field="type", request_id=request_id)
    # A union's errors begin with the member's tag; the field is what follows.
    field = ".".join(str(part) for part in first["loc"][1:])
    code = "invalid" if field else "bad_message"
    return BadFrame(code, first["msg"] + ".", field=field, request_id=request_id[:64])


def last_user_text(messages: list[MessageIn]) -> str:
    """Return the new message: the last one, which must be the user's. The database has the earlier ones."""
    if messages[-1].role != "user":
        raise InvalidInput("messages", texts.LAST_MESSAGE_NOT_THE_USERS)
    return messages[-1].content
