"""Finished jobs do not stay for ever: their conversations do, and those are not ours."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from queueing.conf import get_conf
from queueing.ids import first_id_at
from queueing.models import Job
from queueing.states import FINISHED

_AT_ONCE = 500

#: What else is tidied once an hour: each removes some rows and says how many, until it answers 0.
steps: list[Callable[[], int]] = []


def prune() -> int:
    """Delete some hundred jobs that were made more than `KEEP_DAYS` ago and are over; how many.

    Called again until it answers 0, so that nobody waits long for it.
    """
    before = first_id_at(timezone.now() - timedelta(days=get_conf().keep_days))
    old = Job.objects.filter(id__lt=before, state__in=FINISHED).order_by("id")
    ids = list(old.values_list("id", flat=True)[:_AT_ONCE])
    Job.objects.filter(id__in=ids).delete()
    return len(ids)
