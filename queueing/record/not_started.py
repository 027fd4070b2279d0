"""End jobs that have not begun, and that no run will end: those whose deadline has passed, for example.

No run begins after the deadline of its job: `attempts.begin` refuses it. The worker that has claimed such a
job ends it, or the sweep of reconciliation.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from queueing import texts
from queueing.kinds import why_unable
from queueing.models import Job
from queueing.schedule.enqueue import enqueue_all
from queueing.states import UNFINISHED, State, sql_condition

from . import dependencies
from .end_hooks import run_end_hook
from .outage import is_outage

logger = logging.getLogger(__name__)

#: Why a job failed that did not start before its deadline.
EXPIRED = {"error_code": "expired", "error": texts.EXPIRED}
#: Jobs that one sweep ends.
_BATCH_SIZE = 200


class Expired(NamedTuple):
    """Jobs whose deadline has passed."""

    ended: list[Job]
    """The owners must be notified."""
    unable: list[Job]
    """This process cannot do them, so another one ends them: their end hooks have to run."""


def end_expired(ids: Iterable[object]) -> Expired:
    """End those of these jobs that have not begun before their deadline."""
    return _end(_expired().filter(id__in=list(ids)))


def sweep_expired() -> list[Job]:
    """End some of all jobs that have not begun before their deadline, and return them."""
    rows = _expired().extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (the condition of an index)
    return _end(rows.order_by("expires_at")[:_BATCH_SIZE]).ended


def _expired() -> QuerySet[Job]:
    return Job.objects.filter(_is_late()).exclude(state=State.ACTIVE)


def _is_late() -> Q:
    return Q(expires_at__lte=timezone.now(), state__in=(State.WAITING, State.DELAYED))


def _end(rows: Sequence[Job] | QuerySet[Job]) -> Expired:
    found = Expired([], [])
    for job in rows:
        if why_unable(job.kind, job.kind_version, tuple(job.args)):
            found.unable.append(job)
        elif fail(job, EXPIRED, _is_late()):
            found.ended.append(job)
    return found


def fail(job: Job, reason: Mapping[str, str], condition: Q) -> bool:
    """Fail a job if its row still meets the condition, and return whether it did.

    A job that this process cannot do is left to one that can call its end hook. If that raises, the job fails
    without it.
    """
    if why_unable(job.kind, job.kind_version, tuple(job.args)):
        return False
    try:
        return _fail(job, reason, condition, hook=True)
    except Exception as exc:
        if is_outage(exc):
            raise
        logger.exception("on_end of job %s raised; it fails without", job.id.hex)
    return _fail(job, reason, condition, hook=False)


def _fail(job: Job, reason: Mapping[str, str], condition: Q, *, hook: bool) -> bool:
    end = {"state": State.FAILED, "finished_at": timezone.now(), "run_at": None, "unfinished_parents": 0}
    with transaction.atomic():
        if not Job.objects.filter(condition, id=job.id).update(**end, **reason):
            return False
        job.refresh_from_db()
        if hook:
            run_end_hook(job)
        freed = dependencies.give_up([job.pk])
        transaction.on_commit(lambda: enqueue_all(freed))
    return True
