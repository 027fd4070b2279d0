"""Recurring jobs as operators see them: the next tick, what became of the last one, and what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from queueing.kinds import find_kind
from queueing.models import Job, RecurringJob, RecurringTick
from queueing.states import State

from . import history
from .definition import timing_of

#: Seconds after which a tick that is not handled is late, and the jobs in a row whose failure is a warning.
LATE, FAILURES = 60, 3


@dataclass(frozen=True, kw_only=True)
class RecurringView:
    """A recurring job, with what became of its last tick."""

    row: RecurringJob
    queue: str
    """The queue of its kind; empty if the kind is not known here."""
    times: str
    """The times in words."""
    last: RecurringTick | None
    last_state: str
    """The state of the job of the last tick; empty if it has none."""
    is_failing: bool
    """Whether its last jobs have all failed."""

    @property
    def seconds_late(self) -> float:
        """The age of a tick that is due and not handled; 0 while paused."""
        if self.row.paused or not self.row.next_at:
            return 0.0
        return max(0.0, (timezone.now() - self.row.next_at).total_seconds())

    @property
    def is_late(self) -> bool:
        """Whether the next tick should have been handled."""
        return self.seconds_late > LATE

    @property
    def next_at(self) -> datetime | None:
        """The next tick; None if it is paused or has none."""
        return None if self.row.paused else self.row.next_at

    @property
    def outcome(self) -> str:
        """What became of the last tick, in words."""
        return history.IN_WORDS.get(self.last.outcome, self.last.outcome) if self.last else ""


def views(rows: Sequence[RecurringJob]) -> list[RecurringView]:
    """Return the views of these recurring jobs, in three queries, and two for each whose last job failed."""
    newest = RecurringTick.objects.filter(recurring=OuterRef("pk")).order_by("-tick").values("pk")[:1]
    keys = RecurringJob.objects.filter(pk__in=[row.pk for row in rows]).values_list(
        Subquery(newest), flat=True
    )
    last = {entry.recurring_id: entry for entry in RecurringTick.objects.filter(pk__in=keys)}
    ids = {entry.job_id for entry in last.values()} | {row.last_job for row in rows}
    states = dict(Job.objects.filter(id__in=ids - {None}).values_list("id", "state"))
    return [_view(row, last.get(row.pk), states) for row in rows]


def _view(row: RecurringJob, last: RecurringTick | None, states: dict[UUID, str]) -> RecurringView:
    kind = find_kind(row.kind)
    last_job = states.get(row.last_job, State.COMPLETED) if row.last_job else State.COMPLETED
    return RecurringView(
        row=row,
        queue=kind.queue if kind else "",
        times=timing_of(row).explain(),
        last=last,
        last_state=states.get(last.job_id, "") if last and last.job_id else "",
        is_failing=last_job != State.COMPLETED and _is_failing(row),
    )


def _is_failing(row: RecurringJob) -> bool:
    entries = row.ticks.filter(job_id__isnull=False).order_by("-tick").values_list("job_id", flat=True)
    found = Job.objects.filter(id__in=list(entries[: FAILURES + 1]), finished_at__isnull=False)
    states = list(found.order_by("-id").values_list("state", flat=True)[:FAILURES])
    return len(states) == FAILURES and set(states) == {State.FAILED}
