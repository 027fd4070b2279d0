"""The history: one entry for each tick, or for ticks in a row that were skipped for the same reason."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from queueing.conf import get_conf
from queueing.models import RecurringJob, RecurringTick

from .definition import timing_of
from .timing import MAX_COUNTED

#: The outcomes of a tick that submitted its job, and of a job that an operator started between the ticks.
SUBMITTED, RUN_NOW = "submitted", "run_now"
#: The reasons for which ticks are skipped.
LATE, MISSED, OVERLAP, REFUSED, PAUSED, CHANGED = "late", "missed", "overlap", "refused", "paused", "changed"
#: Outcome -> what people read.
IN_WORDS = {
    SUBMITTED: "submitted",
    RUN_NOW: "run by an operator",
    LATE: "skipped: no worker handled it within the grace time",
    MISSED: "skipped: a newer tick ran in its place",
    OVERLAP: "skipped: the job of an earlier tick was unfinished",
    REFUSED: "skipped: its job was refused",
    PAUSED: "skipped: paused",
    CHANGED: "skipped: the times were changed before it ran",
}
#: The entries of one recurring job that are kept, and the rows that one step of pruning deletes.
KEPT, _BATCH_SIZE = 1000, 500


def add(
    row: RecurringJob, outcome: str, tick: datetime, *, job_id: UUID | None = None, detail: str = ""
) -> None:
    """Add the entry of one tick, unless it has one: a clock that was set back shows the tick again."""
    _insert(RecurringTick(outcome=outcome, tick=tick, last_tick=tick, job_id=job_id, detail=detail), row)


def add_skipped(
    row: RecurringJob, outcome: str, first: datetime, before: datetime, *, detail: str = ""
) -> None:
    """Add one entry for all ticks from `first` to `before`, which is not included. There may be none."""
    timing = timing_of(row)
    if number := timing.count(first, before):
        last = timing.newest(first, before - timedelta(microseconds=1), 1)[-1]
        _insert(RecurringTick(outcome=outcome, tick=first, last_tick=last, number=number, detail=detail), row)


def _insert(entry: RecurringTick, row: RecurringJob) -> None:
    entry.recurring, entry.handled_at = row, timezone.now()
    RecurringTick.objects.bulk_create([entry], ignore_conflicts=True)


def number_of(entry: RecurringTick) -> str:
    """Return the number of ticks of an entry for people."""
    return f"{entry.number:,}" if entry.number <= MAX_COUNTED else f"more than {MAX_COUNTED:,}"


def prune() -> int:
    """Delete some entries that are too old or too many, and return their number."""
    old = RecurringTick.objects.filter(tick__lt=timezone.now() - timedelta(days=get_conf().keep_days))
    ids = list(old.values_list("pk", flat=True)[:_BATCH_SIZE])
    for row in RecurringJob.objects.only("pk") if not ids else ():
        ids += row.ticks.values_list("pk", flat=True)[KEPT : KEPT + _BATCH_SIZE]
    RecurringTick.objects.filter(pk__in=ids).delete()
    return len(ids)
