"""Schemas of the HTTP API, with camelCase field names. docs/protocol.md explains each field."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from .client_messages import Messages, RequestId, ThreadKey

HexId = Annotated[UUID, PlainSerializer(lambda value: value.hex, return_type=str)]


class CamelSchema(BaseModel):
    """Base of the schemas: Python's names here, camelCase in JSON.

    Not ninja's Schema: that one reads attributes of any object, and so accepts the JSON text "abc",
    which has a method `title`, as a thread's new title.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def example(**fields: Any) -> ConfigDict:
    """Return a body's `model_config` with the example that /api/docs fills in."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class FailAt(StrEnum):
    """From which level of health on a health check answers 503."""

    NEVER = "never"
    WARNING = "warning"
    CRITICAL = "critical"

    def fails(self, health: str) -> bool:
        """Return whether a health of `ok`, `warning` or `critical` fails the check."""
        return self == health or (self == FailAt.WARNING and health == "critical")


class QuestionIn(CamelSchema):
    """A new message: `message`, or `messages` whose last one is the user's new one."""

    model_config = example(message="Three days in Lisbon?")

    message: str | None = None
    messages: Messages | None = None
    thread_id: ThreadKey | None = None
    request_id: RequestId | None = None
    assistant_id: str | None = None
    """A companion's name, for clients of the reference design. Must agree with the address."""


class EditIn(CamelSchema):
    """A message's new text."""

    model_config = example(content="Four days in Lisbon?")

    content: str
    request_id: RequestId | None = None
    only_if_waiting: bool = False
    """Refuse (409 `wrong_state`) instead of asking it again."""


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
    """The position among the owner's own delayed messages, of which there are `of`."""
    of: int | None = None


class _JobStanding(CamelSchema):
    job_id: HexId
    request_id: str
    thread_id: HexId | None
    queue: str
    status: str
    position: int | None
    estimated_wait: Wait | None


class AcceptedOut(_JobStanding):
    """An accepted message, its reply and their job."""

    message_id: HexId
    reply_id: HexId
    notice: str | None = None
    """A remark for the user, such as that the message goes to another queue."""
    care: dict[str, Any] | None = None
    """Help lines, when the message may be about a crisis; docs/care.md."""


class TranscriptionOut(_JobStanding):
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
    """Tokens of an answer, over all attempts."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False
    """True when the provider did not count them."""


class _AnswerDetails(CamelSchema):
    """Details of an answer, as far as they are known."""

    model: str | None = None
    usage: UsageOut | None = None
    cost: int | None = None
    """Millionths of a unit of the currency that /api/usage names."""
    truncated: bool | None = None
    """True when the answer was cut at its length limit."""
    thought_seconds: float | None = None
    """How long the model thought before it answered."""


class JobOut(_JobStanding, _AnswerDetails):
    """A job and its result."""

    kind: str
    attempt: int
    of: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    response: str | None = None
    html: str | None = None
    cached: bool | None = None
    """True for a stored answer."""
    error: str | None = None
    code: str | None = None
    can_retry: bool | None = None
    """Of a failed job: whether trying it again may help."""
    advice: str | None = None
    """Of a failed job: what its owner can do. May be empty."""
    offer: str | None = None
    """Of a failed job: what else may help, `edit`, `new` or `sign_in`."""


class ThoughtsOut(CamelSchema):
    """What the model thought before it answered."""

    thoughts: str | None
    """Plain text; empty if the provider does not show them, and null when they are not kept any more."""


class CompanionOut(CamelSchema):
    """A companion, as the page shows it."""

    id: str
    name: str
    tagline: str
    greeting: str
    prompts: list[str]
    color: str


class CompanionsOut(CamelSchema):
    """All companions."""

    companions: list[CompanionOut]


class ThreadOut(CamelSchema):
    """A thread without its messages."""

    id: HexId
    title: str
    companion: str
    created_at: datetime
    updated_at: datetime


class FoundOut(ThreadOut):
    """A thread in a list or in the results of a search."""

    snippet: dict[str, str] | None = None
    """In a search: the text `before`, the `match`, and the text `after`."""
    message_id: HexId | None = None
    """In a search: the message of the snippet."""
    title_match: dict[str, str] | None = None
    """In a search: the whole title as `before`, `match` and `after`, if it has the words."""


class ThreadsOut(CamelSchema):
    """A page of threads."""

    threads: list[FoundOut]
    next: str | None
    """What continues the list as `before`; null at its end."""


class FeedbackOut(CamelSchema):
    """The owner's rating of an answer."""

    value: str
    reason: str
    comment: str


class MessageOut(_AnswerDetails):
    """A message of a thread, with the state of its job."""

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
    can_retry: bool | None = None
    """Of a failed job: whether trying it again may help."""
    advice: str | None = None
    """Of a failed job: what its owner can do. May be empty."""
    offer: str | None = None
    """Of a failed job: what else may help, `edit`, `new` or `sign_in`."""
    incomplete: bool | None = None
    """True for an answer that was stopped, or failed, after its beginning."""
    attachment: dict[str, Any] | None = None
    feedback: FeedbackOut | None = None


class ConversationOut(ThreadOut):
    """A thread with a page of its messages, oldest first."""

    messages: list[MessageOut]
    earlier: bool
    """True when there are messages before these."""
    later: bool
    """True when there are messages after these."""
    care: dict[str, Any] | None = None
    """Help lines, with the `messageId` of the message that may be about a crisis."""


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
