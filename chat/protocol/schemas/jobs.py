"""Jobs: accepted, with their standing and with their result."""

from datetime import datetime
from typing import Any

from .base import CamelSchema, HexId


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


class AnswerDetails(CamelSchema):
    """Details of an answer, as far as they are known."""

    model: str | None = None
    usage: UsageOut | None = None
    cost: int | None = None
    """Millionths of a unit of the currency that /api/usage names."""
    truncated: bool | None = None
    """True when the answer was cut at its length limit."""
    thought_seconds: float | None = None
    """How long the model thought before it answered."""


class JobOut(_JobStanding, AnswerDetails):
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
