"""Failed jobs by cause: a group is what failed on one queue, in one kind of job, with one code.

The code is a handler's own stable word, such as `no_quota`, or the class of what it did not expect.
"""

from collections import Counter
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

#: A queue's newest failed jobs that are looked at, however many there are.
NEWEST = 10_000
_EXAMPLES = 3
_PAGE = 500
_LATELY = timedelta(minutes=10)
#: Failures within `_LATELY` from which a group can be growing.
_FEW = 5


@dataclass(frozen=True, kw_only=True)
class Group:
    """Jobs that failed for one cause."""

    queue: str
    kind: str
    code: str
    count: int
    first: datetime
    """When the first of them failed."""
    last: datetime
    message: str
    """What the newest's owner was told."""
    example_ids: list[str]
    """The newest, 32 hex digits each."""
    note: FailureNote | None
    growing: bool
    """More of them in the last ten minutes than in the ten before, and at least five."""
    more: bool
    """Whether the queue has more failed jobs than were looked at."""

    @property
    def is_orphaned(self) -> bool:
        """Whether the queue is not in the settings, so that nothing can be run again."""
        return not is_configured(self.queue)


def groups(queue: str = "", most: int = 50) -> list[Group]:
    """The groups of one queue or of all, those that failed last first.

    All are those of the settings, and those that failed jobs name.
    """
    names = [queue] if queue else [*get_conf().queues, *orphans.orphaned_queues_with_failures()]
    found = [group for name in names for group in _of(name)]
    return sorted(found, key=lambda group: group.last, reverse=True)[:most]


def _of(queue: str) -> list[Group]:
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
    """`rows` are (kind, code, finished_at, id), the newest first, as sorting by cause has left them."""
    now, ends = timezone.now(), [row[2] for row in rows]
    lately = sum(end > now - _LATELY for end in ends)
    before = sum(now - 2 * _LATELY < end <= now - _LATELY for end in ends)
    newest = [row[3] for row in rows[:_EXAMPLES]]
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
        growing=lately >= _FEW and lately > before,
        more=more,
    )


def ids_of(queue: str, kind: str, code: str) -> Iterator[UUID]:
    """All of a group's jobs, the oldest first; read page by page, so that they may change meanwhile."""
    rows = _failed(queue).filter(kind=kind, error_code=code).order_by("id").values_list("id", flat=True)
    page = list(rows[:_PAGE])
    while page:
        yield from page
        page = list(rows.filter(id__gt=page[-1])[:_PAGE])


def _failed(queue: str) -> QuerySet[Job]:
    return Job.objects.filter(queue=queue, state=State.FAILED)


def failure_codes(within: timedelta, *, newest: int) -> Counter[str]:
    """Count the codes of the attempts that failed `within` this time, among the `newest` that failed."""
    since = timezone.now() - within
    rows = FailedAttempt.objects.order_by("-id").values_list("code", "ended_at")[:newest]
    return Counter(code for code, ended in rows if ended >= since)
