"""Handle the ticks that are due: each submits one job, or is skipped with a reason, exactly once.

One worker looks for them, but that is only to save work: any number of workers may look at the same time.
What becomes of a tick is one transaction: it locks the recurring job, submits the job, adds the entry of the
history and moves on to the next tick. So a worker that dies leaves either all or nothing, and another worker
that saw the same tick finds it handled. The clocks of hosts may differ: one host then handles a tick early.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from queueing.errors import BadSubmission, BadValue, Rejected
from queueing.kinds import known_names
from queueing.models import Job, RecurringJob, RecurringTick
from queueing.record.outage import is_outage
from queueing.states import UNFINISHED
from queueing.submit import submit
from queueing.values.cleaning import clean_text

from . import history
from .definition import MAX_GRACE, MIN_GRACE, timing_of

logger = logging.getLogger(__name__)

#: The jobs of missed ticks that `all` runs, and the unfinished jobs that `queue` lets wait.
MOST = 100
#: Seconds within which a tick is not missed: another worker takes over, and clocks of hosts differ.
ON_TIME = 60.0
#: Seconds until a job that was refused is submitted again, at most, and after an error.
_TRY_AGAIN, _AFTER_ERROR = 15.0, 60.0
#: Seconds for which a recurring job of an unknown kind is left to workers with other code.
_LEFT_TO_OTHERS = 60.0
#: Rows that one look reads, and the greatest length of the text of a refusal.
_PAGE_SIZE, _MAX_REFUSAL = 100, 1000


def next_looks(overdue: float = 0.0) -> list[tuple[int, datetime]]:
    """Return (key, time) of the recurring jobs to look at next, the first ones first: one query.

    Those of a kind that this process does not know are left to others for a minute, and for `overdue` seconds
    more: the time that the caller leaves all of them to others.
    """
    late = timezone.now() - timedelta(seconds=overdue + _LEFT_TO_OTHERS)
    rows = RecurringJob.objects.filter(paused=False, look_at__isnull=False)
    rows = rows.filter(Q(kind__in=known_names()) | Q(look_at__lte=late))
    return list(rows.order_by("look_at").values_list("pk", "look_at")[:_PAGE_SIZE])


def handle(key: int) -> None:
    """Handle the next tick of one recurring job, if it is due. Raise only if the database is unavailable."""
    seen: datetime | None = None
    try:
        with transaction.atomic():
            row = RecurringJob.objects.select_for_update().filter(pk=key, paused=False).first()
            now = timezone.now()
            if row and row.next_at and row.look_at and row.look_at <= now:
                seen = row.next_at
                _handle(row, seen, now)
    except Exception as exc:
        if is_outage(exc):
            raise
        if not isinstance(exc, BadValue):  # the row has times that this code cannot read
            logger.exception("the tick of a recurring job failed")
        refusal = str(exc) if isinstance(exc, BadValue) else f"{type(exc).__name__}: {exc}"
        again = timezone.now() + timedelta(seconds=_AFTER_ERROR)
        RecurringJob.objects.filter(pk=key, next_at=seen).update(
            look_at=again, refusal=clean_text(refusal, _MAX_REFUSAL)
        )


def _handle(row: RecurringJob, seen: datetime, now: datetime) -> None:
    timing = timing_of(row)
    oldest = now - timedelta(seconds=longest_delay(row, seen))
    due = timing.newest(max(seen, oldest), now, MOST if row.missed == "all" else 1)
    first = due[0] if due else timing.next_after(now)
    _skip_until(row, seen, first or now, oldest)
    row.next_at, row.refusal = first, ""
    wait = 0.0
    if due and not (wait := _submit_or_refuse(row, due[0])):
        row.next_at = due[1] if len(due) > 1 else timing.next_after(due[0])
    row.look_at = now + timedelta(seconds=wait) if wait else row.next_at
    row.save(update_fields=["next_at", "look_at", "refusal", "last_job"])


def _submit_or_refuse(row: RecurringJob, tick: datetime) -> float:
    """Submit the job of a tick, or skip it. If it is refused, return the seconds until another try."""
    try:
        with transaction.atomic():
            _submit_or_skip(row, tick)
        return 0.0
    except Rejected as exc:
        wait, refusal = max(1.0, min(exc.retry_after, _TRY_AGAIN)), f"{exc.code}: {exc.message}"
    except (BadSubmission, ImproperlyConfigured) as exc:
        wait, refusal = _TRY_AGAIN, str(exc)
    row.refusal = clean_text(refusal, _MAX_REFUSAL)
    logger.warning("the job of %s is not submitted yet: %s", row.name, row.refusal)
    return wait


def longest_delay(row: RecurringJob, tick: datetime) -> float:
    """Return the age in seconds up to which a tick still runs."""
    grace = float(row.grace or 0)
    if not grace:
        following = timing_of(row).next_after(tick)
        interval = (following - tick).total_seconds() if following else float(MAX_GRACE)
        grace = min(max(interval / 2, MIN_GRACE), MAX_GRACE)
    return min(grace, ON_TIME) if row.missed == "skip" else grace


def _skip_until(row: RecurringJob, seen: datetime, first: datetime, oldest: datetime) -> None:
    """Add the ticks from `seen` to `first`, which is not one of them, to the history as skipped."""
    if seen >= first:
        return
    reason = history.LATE if seen < oldest else history.MISSED
    reason = history.REFUSED if row.refusal else reason
    history.add_skipped(row, reason, seen, first, detail=row.refusal)


def _submit_or_skip(row: RecurringJob, tick: datetime) -> None:
    waiting = unfinished_jobs(row) if row.overlap != "allow" else []
    if waiting and (row.overlap == "skip" or len(waiting) >= MOST):
        history.add(row, history.OVERLAP, tick)
        return
    job = submit_job(row, f"{tick:%Y%m%dT%H%M%SZ}", tick, after=waiting[:1])
    history.add(row, history.SUBMITTED, tick, job_id=job.id)


def submit_job(row: RecurringJob, name: str, tick: datetime, *, after: list[Job]) -> Job:
    """Submit the job of one tick, once under this name, and note it as the last one."""
    job = submit(
        row.kind,
        row.args,
        owner=row.owner,
        request_id=f"recurring:{row.pk}:{name}",
        meta={"recurring": row.name, "tick": tick.isoformat()},
        after=after,
    ).job
    row.last_job = job.id
    return job


def unfinished_jobs(row: RecurringJob) -> list[Job]:
    """Return the unfinished jobs of a recurring job, the newest first."""
    entries = RecurringTick.objects.filter(recurring=row, job_id__isnull=False).order_by("-tick")
    ids: list[UUID] = list(entries.values_list("job_id", flat=True)[: MOST + 1])
    return list(Job.objects.filter(id__in=ids, state__in=UNFINISHED).order_by("-id"))
