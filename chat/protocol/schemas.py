"""Shapes of the HTTP API. camelCase on the wire; docs/protocol.md says what each field means."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from .client_messages import RequestId, TurnIn

HexId = Annotated[UUID, PlainSerializer(lambda value: value.hex, return_type=str)]


class CamelSchema(BaseModel):
    """Python's names here, camelCase on the wire.

    Not ninja's Schema: that one reads attributes of whatever it is given, and so takes the JSON text "abc",
    which has a method `title`, for a thread's new title.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def example(**fields: Any) -> ConfigDict:
    """For a body's `model_config`: what /api/docs puts into the field to begin with."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class AskIn(CamelSchema):
    """A new message: `message`, or `messages` whose last one is the user's new one."""

    model_config = example(message="Three days in Lisbon?")

    message: str | None = None
    messages: list[TurnIn] | None = Field(default=None, min_length=1)
    thread_id: UUID | None = None
    request_id: RequestId | None = None
    assistant_id: str | None = None
    """Of the reference design. A companion's name; the address names one already."""


class EditIn(CamelSchema):
    """A message's new text."""

    model_config = example(content="Four days in Lisbon?")

    content: str
    request_id: RequestId | None = None
    only_if_waiting: bool = False
    """Refuse (409 `wrong_state`) rather than ask it anew."""


class RenameIn(CamelSchema):
    """A thread's new title."""

    model_config = example(title="Lisbon in May")

    title: str


class Wait(CamelSchema):
    """An estimate in seconds, and what causes it; null where only the cause is known."""

    low: float | None
    high: float | None
    reason: str
    place: int | None = None
    """Among the owner's own messages that are held back, and how many those are (`of`)."""
    of: int | None = None


class _Placed(CamelSchema):
    job_id: HexId
    request_id: str
    thread_id: HexId | None
    queue: str
    status: str
    position: int | None
    estimated_wait: Wait | None


class AskedOut(_Placed):
    message_id: HexId
    reply_id: HexId
    notice: str | None = None
    """What else there is to say, such as that it goes to another queue."""
    care: dict[str, Any] | None = None
    """Help lines, when the message speaks of a crisis; docs/care.md."""


class TranscriptionOut(_Placed):
    """An accepted recording; the ids of its messages only when it is sent as a message."""

    thread_id: HexId | None = None
    message_id: HexId | None = None
    reply_id: HexId | None = None
    reply_job_id: HexId | None = None


class UploadOut(CamelSchema):
    """A stored file; `uploadId` refers to it on the socket."""

    upload_id: HexId
    name: str
    size: int
    """Bytes."""


class UsageOut(CamelSchema):
    """Tokens that an answer took, over all attempts."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False
    """The provider did not count them."""


class _Told(CamelSchema):
    """How an answer came about, as far as it is known."""

    model: str | None = None
    usage: UsageOut | None = None
    cost: int | None = None
    """Millionths of a unit of the currency that /api/usage names."""
    truncated: bool | None = None
    """It ends at its length limit, not where it should."""


class JobOut(_Placed, _Told):
    kind: str
    attempt: int
    of: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    response: str | None = None
    html: str | None = None
    cached: bool | None = None
    """True for an answer that was given before."""
    error: str | None = None
    code: str | None = None


class CompanionOut(CamelSchema):
    id: str
    name: str
    tagline: str
    greeting: str
    prompts: list[str]
    color: str


class CompanionsOut(CamelSchema):
    companions: list[CompanionOut]


class ThreadOut(CamelSchema):
    id: HexId
    title: str
    companion: str
    created_at: datetime
    updated_at: datetime


class FoundOut(ThreadOut):
    snippet: dict[str, str] | None = None
    """Of a search: `before`, `match` and `after` of where the words were found."""


class ThreadsOut(CamelSchema):
    threads: list[FoundOut]


class FeedbackOut(CamelSchema):
    """What the owner thinks of an answer."""

    value: str
    reason: str
    comment: str


class MessageOut(_Told):
    id: HexId
    role: str
    content: str
    html: str | None = None
    cached: bool | None = None
    created_at: datetime
    job_id: HexId
    request_id: str | None = None
    status: str
    error: str | None = None
    code: str | None = None
    attachment: dict[str, Any] | None = None
    feedback: FeedbackOut | None = None


class ConversationOut(ThreadOut):
    messages: list[MessageOut]
    care: dict[str, Any] | None = None
    """Help lines with the `messageId` that calls for them."""


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    retryAfter: float | None = None
    care: dict[str, Any] | None = None
