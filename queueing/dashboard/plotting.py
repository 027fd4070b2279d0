"""The page's plots: what a queue did over minutes, hours or days."""

from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from queueing.conf import get_conf
from queueing.monitoring import histogram, statistics
from queueing.monitoring.charts import formats, plots
from queueing.monitoring.charts.plots import Plot, Series

#: Minutes of a queue's row.
_TREND = 30


class Span(NamedTuple):
    """A stretch of time up to now."""

    id: str
    label: str
    steps: int
    step: timedelta
    name: str
    """What a step is called, as the head of a column."""
    form: str
    """Its label, for strftime."""

    @property
    def fresh(self) -> float:
        """Seconds after which it is drawn again: as good as a step, but no more than ten minutes."""
        return min(self.step.total_seconds(), 600.0)


SPANS = {
    span.id: span
    for span in (
        Span("1h", "1 hour", 60, timedelta(minutes=1), "Minute", "%H:%M"),
        Span("24h", "24 hours", 144, timedelta(minutes=10), "Ten minutes", "%H:%M"),
        Span("7d", "7 days", 84, timedelta(hours=2), "Two hours", "%b %d %H:%M"),
        Span("90d", "90 days", 90, timedelta(days=1), "Day", "%b %d"),
    )
}


def drawings(span: Span, queue: str) -> list[Plot]:
    """Throughput, waits and runs of one queue, or of all where `queue` is empty. Blocks: one statement."""
    now = timezone.now()
    periods = statistics.history(queue, since=now - span.step * (span.steps - 1), step=span.step)
    labels = [f"{period.start:{span.form}}" for period in periods]
    ended = [
        Series("completed", "up", [period.completed for period in periods]),
        Series("failed", "down", [period.failed for period in periods]),
    ]
    throughput = Plot(
        title="Jobs ended",
        x_name=span.name,
        labels=labels,
        series=ended,
        say=formats.count,
        say_in_full=formats.whole,
    )
    return [
        plots.bars(throughput),
        _durations("Wait in line", span, labels, [period.waits for period in periods]),
        _durations("Run", span, labels, [period.runs for period in periods]),
    ]


def _durations(title: str, span: Span, labels: list[str], spreads: list[dict[str, int]]) -> Plot:
    half = Series("half within", "accent", [histogram.percentile(spread, 0.5) for spread in spreads])
    most = Series("95% within", "most", [histogram.percentile(spread, 0.95) for spread in spreads])
    return plots.lines(
        Plot(
            title=title,
            x_name=span.name,
            labels=labels,
            series=[half, most],
            say=formats.seconds,
            say_in_full=formats.seconds,
        )
    )


def trends() -> dict[str, str]:
    """What each queue did in the last half hour's whole minutes, as points of a line, 60 by 16. Blocks."""
    since, minute = timezone.now() - timedelta(minutes=_TREND), timedelta(minutes=1)
    found = {q: statistics.history(q, since=since, step=minute)[:-1] for q in get_conf().queues}
    return {queue: _points([p.completed + p.failed for p in periods]) for queue, periods in found.items()}


def _points(numbers: list[int]) -> str:
    most, step = max(1, *numbers), 60 / max(1, len(numbers) - 1)
    return " ".join(f"{n * step:.1f},{15 - 14 * number / most:.1f}" for n, number in enumerate(numbers))
