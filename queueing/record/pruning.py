"""Delete old finished jobs, and let applications delete old rows of their own in the same rhythm."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from queueing.conf import get_conf
from queueing.models import Job
from queueing.states import FINISHED
from queueing.values.ids import first_id_at

#: Jobs that one step deletes.
_BATCH_SIZE = 500

_steps: list[Callable[[], int]] = []


def register_pruning(step: Callable[[], int]) -> None:
    """Call `step` once an hour, repeatedly until it returns 0.

    `step()` deletes some rows and returns their number. It runs on a worker's database thread, so each
    call should be short.
    """
    if step not in _steps:
        _steps.append(step)


def registered_steps() -> list[Callable[[], int]]:
    """Return the steps that applications registered, in that order."""
    return list(_steps)


def prune() -> int:
    """Delete some jobs that finished more than `KEEP_DAYS` ago, and return their number.

    The caller repeats it until it returns 0, so that other work on the thread never waits long.
    """
    before = timezone.now() - timedelta(days=get_conf().keep_days)
    # No job ends before it is created: the range of ids is an index, so younger jobs are not read.
    old = Job.objects.filter(id__lt=first_id_at(before), state__in=FINISHED, finished_at__lt=before)
    ids = list(old.order_by("id").values_list("id", flat=True)[:_BATCH_SIZE])
    Job.objects.filter(id__in=ids).delete()
    return len(ids)
