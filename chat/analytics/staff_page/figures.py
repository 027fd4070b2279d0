"""The figures of the staff page, read from rollups: a few hundred rows for any number of events."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import CharField, Count, Q
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from chat.analytics import texts
from chat.analytics.models import Feedback, Rollup, Visit
from chat.analytics.rollups import DAY, HOUR
from chat.analytics.tracking.event_names import ACTIVITIES, CLIENT_EVENTS, CUSTOM_PREFIX
from chat.companions.registry import COMPANIONS
from queueing.api.charts import histogram


class Span(NamedTuple):
    """A period up to now, divided into steps."""

    id: str
    label: str
    step: int
    """Seconds of a step: an hour or a day."""
    length: int
    """The number of steps, including the current one."""


SPANS = {
    span.id: span
    for span in (
        Span("24h", texts.SPANS["24h"], HOUR, 24),
        Span("7d", texts.SPANS["7d"], DAY, 7),
        Span("30d", texts.SPANS["30d"], DAY, 30),
        Span("90d", texts.SPANS["90d"], DAY, 90),
    )
}


class Figures:
    """The figures of a span, of one companion or (when empty) of all. Lists have one entry per step."""

    def __init__(self, span: Span, companion: str) -> None:
        self.span, self.companion = span, companion
        self.starts = step_starts(span)
        empty = [0] * span.length
        self.messages, self.completed, self.failed, self.cached = [list(empty) for _ in range(4)]
        self.up, self.down = list(empty), list(empty)
        #: Histograms of the seconds that replies waited, and took to write.
        self.waits: list[dict[str, int]] = [{} for _ in empty]
        self.durations: list[dict[str, int]] = [{} for _ in empty]
        #: The days of the span, or yesterday and today: visitors are only counted by day.
        today = self.starts[-1].replace(hour=0)
        self.days = self.starts if span.step == DAY else [today - timedelta(days=1), today]
        self.visitors = [0] * len(self.days)
        #: Failures of all activities, by activity and error code.
        self.failures: Counter[str] = Counter()
        #: Events of clients, and opened pages.
        self.others: Counter[str] = Counter()


def read(span: Span, companion: str = "") -> Figures:
    """Return the figures up to now. Blocks for three queries."""
    figures = Figures(span, companion)
    _add_sums(figures)
    _add_visitors(figures)
    _add_feedback(figures)
    return figures


def companions() -> list[str]:
    """Return the existing companions, then those that were removed and still have figures (P24). Blocks."""
    named = Rollup.objects.filter(seconds=DAY).values_list("companion", flat=True).distinct()
    return [*COMPANIONS, *sorted(set(named) - {"", *COMPANIONS})]


def step_starts(span: Span) -> list[datetime]:
    """Return the start of each step of the span, in UTC."""
    now = int(timezone.now().timestamp())
    last = datetime.fromtimestamp(now - now % span.step, UTC)
    return [last - timedelta(seconds=span.step * back) for back in reversed(range(span.length))]


def companion_filter(companion: str) -> Q:
    """Return a condition for the rows of the companion; no condition when it is empty."""
    return Q(companion=companion) if companion else Q()


class Row(NamedTuple):
    """The columns of a rollup that are read here, cheaper than an instance of the model."""

    start: datetime
    name: str
    code: str
    total: int
    sums: dict[str, float]
    histograms: dict[str, dict[str, int]]


def _add_sums(figures: Figures) -> None:
    found = Rollup.objects.filter(
        companion_filter(figures.companion), seconds=figures.span.step, start__gte=figures.starts[0]
    )
    indexes = {start: index for index, start in enumerate(figures.starts)}
    columns = found.values_list("start", "name", "code", "count", "sums", "histograms")
    for row in map(Row._make, columns):
        if (index := indexes.get(row.start)) is None:
            continue  # from a server whose clock is ahead
        if add := _ADDERS.get(row.name):
            add(figures, index, row)


def _add_message(figures: Figures, index: int, row: Row) -> None:
    figures.messages[index] += row.total


def _add_completed(figures: Figures, index: int, row: Row) -> None:
    figures.completed[index] += row.total
    figures.cached[index] += int(row.sums.get("cached", 0))
    figures.waits[index] = histogram.merge((figures.waits[index], row.histograms.get("wait", {})))
    figures.durations[index] = histogram.merge((figures.durations[index], row.histograms.get("run", {})))


def _add_failed(figures: Figures, index: int, row: Row) -> None:
    if row.name == "reply.failed":
        figures.failed[index] += row.total
    figures.failures[f"{row.name.partition('.')[0]}: {row.code or texts.NO_CODE}"] += row.total


def _add_other(figures: Figures, index: int, row: Row) -> None:
    figures.others[texts.CUSTOM_EVENTS if row.name == CUSTOM_PREFIX else row.name] += row.total


_ADDERS: dict[str, Callable[[Figures, int, Row], None]] = {
    "message.sent": _add_message,
    "reply.completed": _add_completed,
    "page.opened": _add_other,
    CUSTOM_PREFIX: _add_other,
}
_ADDERS |= {f"{activity}.failed": _add_failed for activity in ACTIVITIES}
_ADDERS |= dict.fromkeys(CLIENT_EVENTS, _add_other)


def _add_visitors(figures: Figures) -> None:
    visits = Visit.objects.filter(companion=figures.companion, day__gte=figures.days[0].date())
    counts = dict(visits.values("day").annotate(number=Count("id")).values_list("day", "number"))
    figures.visitors = [counts.get(day.date(), 0) for day in figures.days]


def _add_feedback(figures: Figures) -> None:
    given = Feedback.objects.filter(companion_filter(figures.companion), updated_at__gte=figures.starts[0])
    found = given.values("up", step=step_text(figures.span, "updated_at")).annotate(number=Count("id"))
    indexes = step_indexes(figures)
    for row in found:
        if (index := indexes.get(row["step"])) is not None:
            (figures.up if row["up"] else figures.down)[index] += row["number"]


def step_text(span: Span, column: str) -> Substr:
    """Return an expression for the step of a time, as a key of `step_indexes`.

    It cuts the time as text, because on SQLite Django's own truncation calls Python for each row.
    """
    return Substr(Cast(column, CharField()), 1, _LENGTHS[span.step])


def step_indexes(figures: Figures) -> dict[str, int]:
    """Return the index of each step, by the text of its start."""
    length = _LENGTHS[figures.span.step]
    return {f"{start:%Y-%m-%d %H}"[:length]: index for index, start in enumerate(figures.starts)}


#: The characters of 2026-11-25 13:37 that identify a step.
_LENGTHS = {HOUR: 13, DAY: 10}
