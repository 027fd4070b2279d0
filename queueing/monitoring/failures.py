"""Failed jobs by cause: a group has one queue, one kind of job and one error code.

The code is a stable word of the handler, such as `no_quota`, or the class of an unexpected exception.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from queueing.conf import get_conf, is_configured
from queueing.models import FailedAttempt, FailureNote, Job
from queueing.record import orphans
from queueing.states import State

#: The number of newest failed jobs of a queue that are grouped.
NEWEST = 10_000
_MAX_EXAMPLES = 3
_PAGE_SIZE = 500
_RECENT = timedelta(minutes=10)
#: The minimum number of failures within `_RECENT` for a growing group.
_MIN_GROWING = 5


@dataclass(frozen=True, kw_only=True)
class Group:
    """Failed jobs with one cause."""

    queue: str
    kind: str
    code: str
    count: int
    first: datetime
    """When the first of the jobs failed."""
    last: datetime
    message: str
    """The error message for the owner of the newest job."""
    example_ids: list[str]
    """Ids of the newest jobs, 32 hex digits each."""
    note: FailureNote | None
    growing: bool
    """True if at least five failed in the last ten minutes, and more than in the ten minutes before."""
    more: bool
    """True if the queue has more failed jobs than `NEWEST`."""

    @property
    def is_orphaned(self) -> bool:
        """True if the queue is not in the settings, so that its jobs cannot be retried."""
        return not is_configured(self.queue)


def groups(queue: str = "", most: int = 50) -> list[Group]:
    """Return at most `most` groups of one queue, or of all queues; the latest failures first.

    All queues are those of the settings, and orphaned queues with failed jobs.
    """
    names = [queue] if queue else [*get_conf().queues, *orphans.orphaned_queues_with_failures()]
    found = [group for name in names for group in _groups_of(name)]
    return sorted(found, key=lambda group: group.last, reverse=True)[:most]


def _groups_of(queue: str) -> list[Group]:
    rows = list(
        _failed(queue).order_by("-id").values_list("kind", "error_code", "finished_at", "id")[:NEWEST]
    )
    notes = {(note.kind, note.code): note for note in FailureNote.objects.filter(queue=queue)}
    by_cause = groupby(sorted(rows, key=lambda row: row[:2]), key=lambda row: row[:2])
    return [
        _group(queue, cause, list(them), notes.get(cause), len(rows) == NEWEST) for cause, them in by_cause
    ]


def _group(
    queue: str, cause: tuple[str, str], rows: Sequence[Any], note: FailureNote | None, more: bool
) -> Group:
    """Return one group. `rows` are (kind, code, finished_at, id), the newest first."""
    now, ends = timezone.now(), [row[2] for row in rows]
    recent = sum(end > now - _RECENT for end in ends)
    before = sum(now - 2 * _RECENT < end <= now - _RECENT for end in ends)
    newest = [row[3] for row in rows[:_MAX_EXAMPLES]]
    return Group(
        queue=queue,
        kind=cause[0],
        code=cause[1],
        count=len(rows),
        first=min(ends),
        last=max(ends),
        message=Job.objects.values_list("error", flat=True).filter(id=newest[0]).first() or "",
        example_ids=[job_id.hex for job_id in newest],
        note=note,
        growing=recent >= _MIN_GROWING and recent > before,
        more=more,
    )


def ids_of(queue: str, kind: str, code: str) -> Iterator[UUID]:
    """Yield the ids of a group, the oldest first; read page by page, so that jobs may change meanwhile."""
    rows = _failed(queue).filter(kind=kind, error_code=code).order_by("id").values_list("id", flat=True)
    page = list(rows[:_PAGE_SIZE])
    while page:
        yield from page
        page = list(rows.filter(id__gt=page[-1])[:_PAGE_SIZE])


def _failed(queue: str) -> QuerySet[Job]:
    return Job.objects.filter(queue=queue, state=State.FAILED)


def recent_failures(within: timedelta, *, newest: int) -> list[tuple[str, datetime]]:
    """Return (error code, end) of the failed attempts `within` a time, among the `newest` ones."""
    since = timezone.now() - within
    rows = FailedAttempt.objects.order_by("-id").values_list("code", "ended_at")[:newest]
    return [(code, ended) for code, ended in rows if ended >= since]
