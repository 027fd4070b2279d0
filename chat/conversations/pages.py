"""A conversation in pages, so that the work of a request does not grow with the conversation. Blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Length

from chat.models import Message, Role, Thread
from queueing.api import Job, State

from .selectors import status_of

#: Maximum messages of a page; and characters, after which no further message is added.
PAGE_MESSAGES, PAGE_CHARACTERS = 40, 100_000
_FIRST = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which page: before, after or around a message. Without any of them it is the newest."""

    before: UUID | None = None
    after: UUID | None = None
    around: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class MessageWithJob:
    """A message and its job."""

    message: Message
    job: Job | None
    """None once the engine has pruned it, which it does to finished jobs only."""

    @property
    def status(self) -> str:
        """The job's state; a pruned job counts as completed, or failed if its reply is incomplete."""
        if self.job:
            return status_of(self.job)
        return str(State.FAILED if self.message.is_incomplete else State.COMPLETED)

    @property
    def cached(self) -> bool:
        """True for a reply with a stored answer."""
        return self.message.role == Role.ASSISTANT and bool(getattr(self.job, "cached", False))


@dataclass(frozen=True, kw_only=True)
class Page:
    """Messages in order without a gap, each with its job."""

    items: list[MessageWithJob]
    earlier: bool = False
    """True when there are messages before these."""
    later: bool = False
    """True when there are messages after these."""


def page(thread: Thread, place: Place | None = None) -> Page:
    """Return one page of the chosen branch of a thread.

    Raise `Message.DoesNotExist` when the message that it is around is not there.
    """
    rows, place = thread.messages.filter(is_chosen=True), place or Place()
    ids = _ids(rows, place)
    if not ids:
        return Page(items=[])
    first, last = _with_its_question(rows, ids[0]), ids[-1]
    return Page(
        items=_with_jobs(rows.filter(id__range=(first, last))),
        earlier=rows.filter(id__lt=first).exists(),
        # Nothing is after the newest page: events bring what is written while it is read.
        later=place != Place() and rows.filter(id__gt=last).exists(),
    )


def read_through(thread: Thread) -> Iterator[list[Message]]:
    """Yield all messages of the chosen branch of a thread, some at a time. No query stays open in between."""
    rows, last = thread.messages.filter(is_chosen=True), _FIRST
    while ids := _next_ids(rows.filter(id__gt=last).order_by("id")):
        last = ids[-1]
        yield list(rows.filter(id__range=(ids[0], last)))


def _ids(rows: QuerySet[Message], place: Place) -> list[UUID]:
    """Return the ids of the page's messages in order."""
    if place.after:
        return _next_ids(rows.filter(id__gt=place.after).order_by("id"))
    if place.around:
        middle = rows.get(id=place.around).pk
        older = _next_ids(rows.filter(id__lte=middle).order_by("-id"), parts=2)
        return older[::-1] + _next_ids(rows.filter(id__gt=middle).order_by("id"), parts=2)
    older = rows.filter(id__lt=place.before) if place.before else rows
    return _next_ids(older.order_by("-id"))[::-1]


def _next_ids(rows: QuerySet[Message], parts: int = 1) -> list[UUID]:
    """Return the ids of the first `rows`: at least one, and as many as one of `parts` of a page has."""
    ids: list[UUID] = []
    left = PAGE_CHARACTERS // parts
    for message_id, length in rows.values_list("id", Length("content"))[: PAGE_MESSAGES // parts]:
        left -= length
        if ids and left < 0:
            break
        ids.append(message_id)
    return ids


def _with_its_question(rows: QuerySet[Message], first: UUID) -> UUID:
    """Return the id of the question before `first` if that is a reply: clients show both together."""
    two = rows.filter(id__lte=first).order_by("-id").values_list("id", "role")[:2]
    roles = [role for _, role in two]
    return two[1][0] if roles == [Role.ASSISTANT, Role.USER] else first


def _with_jobs(rows: QuerySet[Message]) -> list[MessageWithJob]:
    found = Job.objects.defer("args", "result").annotate(
        cached=F("result__cached"), thought_seconds=F("result__thoughtSeconds")
    )
    jobs: dict[UUID, Job | None] = {}
    messages: list[Message] = []
    ids = set(rows.values_list("job_id", flat=True))
    # Each job is read before its messages: then a reply whose job has finished has its text, too.
    while unknown := ids - jobs.keys():
        jobs |= dict.fromkeys(unknown) | found.in_bulk(unknown)
        messages = list(rows.all())
        ids = {message.job_id for message in messages}
    return [MessageWithJob(message=message, job=jobs[message.job_id]) for message in messages]
