"""Find jobs of queues that are no longer in the settings: no worker claims them, no statistics count them."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from queueing.conf import get_conf
from queueing.models import Job
from queueing.states import UNFINISHED, State, sql_condition

#: Maximum number of unfinished jobs that are read, the oldest first. An orphaned job never ends, so in time
#: it is among the oldest.
_MAX_SCANNED_JOBS = 1000


class OrphanedQueue(NamedTuple):
    """A queue that has unfinished jobs but is not in the settings."""

    queue: str
    unfinished: int
    more: bool
    """Whether the queue may have more of them than were read."""


def orphaned_queues() -> list[OrphanedQueue]:
    """Return the orphaned queues. Blocks for a few milliseconds, independent of the number of jobs."""
    rows = Job.objects.extra(where=[sql_condition(UNFINISHED)]).order_by("id")  # noqa: S610 (the states are ours)
    names = list(rows.values_list("queue", flat=True)[:_MAX_SCANNED_JOBS])
    known = get_conf().queues
    found = Counter(name for name in names if name not in known)
    return [
        OrphanedQueue(queue, number, len(names) == _MAX_SCANNED_JOBS)
        for queue, number in sorted(found.items())
    ]


def orphaned_queues_with_failures() -> Iterator[str]:
    """Yield the orphaned queues that have failed jobs. Blocks: one index lookup for each queue."""
    rows = Job.objects.filter(state=State.FAILED).order_by("queue").values_list("queue", flat=True)
    name = rows.first()
    while name is not None:
        if name not in get_conf().queues:
            yield name
        name = rows.filter(queue__gt=name).first()
