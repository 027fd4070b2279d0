"""An owner's threads in pages, newest first. Plain functions; they block.

A page says where the next one begins. The last thread alone cannot: its next message moves it to the top.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from django.db.models import Q, QuerySet

from chat.errors import InvalidInput
from chat.models import Thread

from . import selectors, texts

#: Maximum threads of one page.
PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Mark:
    """A place in the list: after the thread with this id, while it was last changed at this time."""

    updated_at: datetime
    id: UUID

    @classmethod
    def after(cls, thread: Thread) -> Self:
        """Return the place after this thread."""
        return cls(thread.updated_at, thread.pk)

    @classmethod
    def read(cls, text: str, owner: str) -> Self | None:
        """Return the place that a client names, as `str` of it or by the id of a thread; None for the top.

        Raise `InvalidInput`, or `Thread.DoesNotExist`.
        """
        if not text:
            return None
        time, _, thread_id = text.rpartition("-")
        try:
            if not time or len(text) == len(str(UUID(int=0))):
                return cls.after(selectors.thread(owner=owner, thread_id=UUID(text)))
            return cls(_EPOCH + int(time) * _MICROSECOND, UUID(thread_id))
        except (ValueError, OverflowError):
            raise InvalidInput("before", texts.NO_SUCH_PLACE) from None

    def __str__(self) -> str:
        return f"{(self.updated_at - _EPOCH) // _MICROSECOND}-{self.id.hex}"


@dataclass(frozen=True, kw_only=True)
class ThreadsPage:
    """Threads, and the place after them if there may be more."""

    threads: list[Thread]
    next: Mark | None


def page(*, owner: str, before: Mark | None = None) -> ThreadsPage:
    """Return the owner's newest threads, or those after a place."""
    found = list(older(owner, before)[: PAGE + 1])
    shown = found[:PAGE]
    return ThreadsPage(threads=shown, next=Mark.after(shown[-1]) if len(found) > PAGE else None)


def older(owner: str, before: Mark | None) -> QuerySet[Thread]:
    """Return the owner's threads after a place, newest first."""
    found = Thread.objects.filter(owner=owner)
    if before is None:
        return found
    return found.filter(
        Q(updated_at__lt=before.updated_at) | Q(updated_at=before.updated_at, id__lt=before.id)
    )
