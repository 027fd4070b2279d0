"""Companions, and threads with their messages."""

from datetime import datetime
from typing import Any

from .base import CamelSchema, HexId
from .jobs import AnswerDetails


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
    other_branch: bool | None = None
    """In a search: true if that message is on a branch that is not chosen."""
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


class MessageOut(AnswerDetails):
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
    versions: list[HexId] | None = None
    """The ids of all versions of this message, itself among them, if there is more than one. Oldest first."""
    attachment: dict[str, Any] | None = None
    feedback: FeedbackOut | None = None


class LeafOut(CamelSchema):
    """The chosen branch."""

    leaf_id: HexId
    """Its last message."""


class ConversationOut(ThreadOut):
    """A thread with a page of its messages, oldest first."""

    messages: list[MessageOut]
    earlier: bool
    """True when there are messages before these."""
    later: bool
    """True when there are messages after these."""
    care: dict[str, Any] | None = None
    """Help lines, with the `messageId` of the message that may be about a crisis."""
