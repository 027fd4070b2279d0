"""Jobs of queues that have left the settings: no worker claims them, and no queue's figures count them."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from queueing.conf import get_conf
from queueing.models import Job
from queueing.states import UNFINISHED, State, sql_condition

#: The oldest unfinished jobs that are looked at: a stray one never moves, so it is among them in the end.
_MAX_SCANNED_JOBS = 1000


class OrphanedQueue(NamedTuple):
    """A queue that is named by jobs only."""

    queue: str
    unfinished: int
    more: bool
    """Whether there may be more of them than were looked at."""


def unfinished_by_queue() -> list[OrphanedQueue]:
    """The queues whose jobs wait for ever. Blocks; a few milliseconds, however many jobs there are."""
    rows = Job.objects.extra(where=[sql_condition(UNFINISHED)]).order_by("id")  # noqa: S610 (the states are ours)
    names = list(rows.values_list("queue", flat=True)[:_MAX_SCANNED_JOBS])
    known = get_conf().queues
    found = Counter(name for name in names if name not in known)
    return [
        OrphanedQueue(queue, number, len(names) == _MAX_SCANNED_JOBS)
        for queue, number in sorted(found.items())
    ]


def queues_with_failures() -> Iterator[str]:
    """The queues of failed jobs that are not in the settings. Blocks; one look in an index for each queue."""
    rows = Job.objects.filter(state=State.FAILED).order_by("queue").values_list("queue", flat=True)
    name = rows.first()
    while name is not None:
        if name not in get_conf().queues:
            yield name
        name = rows.filter(queue__gt=name).first()
