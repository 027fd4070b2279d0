"""What the staff page shows, read from sums: a few hundred small rows, however many events there were."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import CharField, Count, Q
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from queueing.api.charts import histogram

from .event_names import CLIENT, CUSTOM, KINDS
from .models import Feedback, Rollup, Visit
from .rollups import DAY, HOUR


class Span(NamedTuple):
    """A stretch of time up to now, in steps."""

    id: str
    label: str
    step: int
    """Seconds: an hour or a day."""
    length: int
    """Steps, the present one included."""


SPANS = {
    span.id: span
    for span in (
        Span("24h", "24 hours", HOUR, 24),
        Span("7d", "7 days", DAY, 7),
        Span("30d", "30 days", DAY, 30),
        Span("90d", "90 days", DAY, 90),
    )
}


class Figures:
    """One span's figures, of one companion or (where that is empty) of all. Lists have an entry a step."""

    def __init__(self, span: Span, companion: str) -> None:
        self.span, self.companion = span, companion
        self.starts = steps(span)
        empty = [0] * span.length
        self.messages, self.completed, self.failed, self.cached = [list(empty) for _ in range(4)]
        self.up, self.down = list(empty), list(empty)
        #: Of replies; histograms of seconds.
        self.waits: list[dict[str, int]] = [{} for _ in empty]
        self.runs: list[dict[str, int]] = [{} for _ in empty]
        #: The span's days, or yesterday and today: visitors can be told apart for a day only.
        today = self.starts[-1].replace(hour=0)
        self.days = self.starts if span.step == DAY else [today - timedelta(days=1), today]
        self.visitors = [0] * len(self.days)
        #: Not of replies alone: by the kind of work and its failure's code.
        self.failures: Counter[str] = Counter()
        #: What clients tracked, and pages opened.
        self.others: Counter[str] = Counter()


def read(span: Span, companion: str = "") -> Figures:
    """The figures up to now. Blocks: three statements."""
    figures = Figures(span, companion)
    _add_sums(figures)
    _add_visitors(figures)
    _add_feedback(figures)
    return figures


def steps(span: Span) -> list[datetime]:
    """Where each step of the span begins, in UTC."""
    now = int(timezone.now().timestamp())
    last = datetime.fromtimestamp(now - now % span.step, UTC)
    return [last - timedelta(seconds=span.step * back) for back in reversed(range(span.length))]


def of(companion: str) -> Q:
    """Rows of the companion, or of all."""
    return Q(companion=companion) if companion else Q()


class Row(NamedTuple):
    """A rollup as it is read here: a model's instance costs more than all we do with it."""

    start: datetime
    name: str
    code: str
    number: int
    sums: dict[str, float]
    spreads: dict[str, dict[str, int]]


def _add_sums(figures: Figures) -> None:
    found = Rollup.objects.filter(
        of(figures.companion), seconds=figures.span.step, start__gte=figures.starts[0]
    )
    number_of = {start: number for number, start in enumerate(figures.starts)}
    columns = found.values_list("start", "name", "code", "count", "sums", "spreads")
    for row in map(Row._make, columns):
        if (number := number_of.get(row.start)) is None:
            continue  # of a clock that is ahead of ours
        if add := _ADD.get(row.name):
            add(figures, number, row)


def _add_message(figures: Figures, number: int, row: Row) -> None:
    figures.messages[number] += row.number


def _add_completed(figures: Figures, number: int, row: Row) -> None:
    figures.completed[number] += row.number
    figures.cached[number] += int(row.sums.get("cached", 0))
    figures.waits[number] = histogram.merge((figures.waits[number], row.spreads.get("wait", {})))
    figures.runs[number] = histogram.merge((figures.runs[number], row.spreads.get("run", {})))


def _add_failed(figures: Figures, number: int, row: Row) -> None:
    if row.name == "reply.failed":
        figures.failed[number] += row.number
    figures.failures[f"{row.name.partition('.')[0]}: {row.code or 'no code'}"] += row.number


def _add_other(figures: Figures, number: int, row: Row) -> None:
    figures.others["custom events (x:)" if row.name == CUSTOM else row.name] += row.number


_ADD: dict[str, Callable[[Figures, int, Row], None]] = {
    "message.sent": _add_message,
    "reply.completed": _add_completed,
    "page.opened": _add_other,
    CUSTOM: _add_other,
}
_ADD |= {f"{kind}.failed": _add_failed for kind in KINDS}
_ADD |= dict.fromkeys(CLIENT, _add_other)


def _add_visitors(figures: Figures) -> None:
    visits = Visit.objects.filter(companion=figures.companion, day__gte=figures.days[0].date())
    counts = dict(visits.values("day").annotate(number=Count("id")).values_list("day", "number"))
    figures.visitors = [counts.get(day.date(), 0) for day in figures.days]


def _add_feedback(figures: Figures) -> None:
    given = Feedback.objects.filter(of(figures.companion), updated_at__gte=figures.starts[0])
    found = given.values("up", step=text_of(figures.span, "updated_at")).annotate(number=Count("id"))
    number_of = numbers(figures)
    for row in found:
        if (number := number_of.get(row["step"])) is not None:
            (figures.up if row["up"] else figures.down)[number] += row["number"]


def text_of(span: Span, column: str) -> Substr:
    """An expression: the step that a time is in, as `numbers` has it.

    Times are cut as text because SQLite calls back into Python for Django's own truncation, for each row.
    """
    return Substr(Cast(column, CharField()), 1, _LENGTHS[span.step])


def numbers(figures: Figures) -> dict[str, int]:
    """The number of each step by its beginning as text."""
    length = _LENGTHS[figures.span.step]
    return {f"{start:%Y-%m-%d %H}"[:length]: number for number, start in enumerate(figures.starts)}


#: Characters that tell a step from the others in 2026-11-25 13:37.
_LENGTHS = {HOUR: 13, DAY: 10}
