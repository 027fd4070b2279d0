"""A message on its way into a conversation: as a client sends it, as a thread gets it, as it was accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from chat.answer_cache.keys import Reuse
from chat.errors import InvalidInput
from chat.models import Message
from chat.usage.budgets import CallSize
from queueing.api import Job, Submission

from . import texts
from .admission import ADMITTED_NOW, Admission, Sender


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message as a client sends it, over HTTP or the socket."""

    owner: str
    """A key of `chat.accounts.access.owners`."""
    companion: str
    text: str
    request_id: str
    """The client's own id. The same id again gets the same answer and writes nothing."""
    thread_id: UUID | str | None = None
    """An id, or a name that the client has chosen. None begins a new thread."""
    address: str = ""
    """A `client_address`; empty when it is unknown."""

    @property
    def sender(self) -> Sender:
        """Who the limits apply to."""
        return Sender(self.owner, self.address)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question to add to a thread, and how its reply is made."""

    text: str
    request_id: str = ""
    kind: str = "chat.reply"
    """The kind of the job that fills the reply. It gets the `reply_id`."""
    attachment: dict[str, Any] | None = None
    depends_on: Sequence[Job] = ()
    """Jobs that must complete first."""
    admission: Admission = ADMITTED_NOW
    size: CallSize | None = None
    """What the job's calls use at most, if that is not an answer of the companion."""
    reuse: Reuse = "use"
    """Which stored answers a `chat.reply` may use."""
    instead_of: Message | None = None
    """The question, or the reply to this question, of which another version is asked."""


@dataclass(frozen=True, kw_only=True)
class AcceptedMessage:
    """An accepted message: the job that writes its reply, and the ids of thread, message and reply."""

    submission: Submission
    thread_id: str
    message_id: str
    reply_id: str

    @classmethod
    def of(cls, submission: Submission) -> Self:
        """Return the ids as the first submission chose them. Raise `InvalidInput` for a job without reply."""
        meta = submission.job.meta
        if "replyId" not in meta:
            raise InvalidInput("requestId", texts.REQUEST_ID_USED)
        return cls(
            submission=submission,
            thread_id=meta["threadId"],
            message_id=meta["messageId"],
            reply_id=meta["replyId"],
        )

    @property
    def job(self) -> Job:
        """The job that writes the reply."""
        return self.submission.job

    @property
    def created(self) -> bool:
        """False when the request id had been accepted before: then nothing was written."""
        return self.submission.created


def accepted_before(owner: str, request_id: str) -> AcceptedMessage | None:
    """Return what this request id was accepted as. A repetition costs nothing: check before `admit`."""
    job = Job.objects.filter(owner=owner, request_id=request_id).first() if request_id else None
    return AcceptedMessage.of(Submission(job, created=False)) if job else None
