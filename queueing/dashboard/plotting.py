"""The plots of the page: finished jobs and their times over minutes, hours or days."""

from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from queueing.conf import get_conf
from queueing.monitoring import histogram, statistics
from queueing.monitoring.charts import formats, plots
from queueing.monitoring.charts.plot import Plot, Series

#: Minutes of the trend line of a queue.
_TREND_MINUTES = 30


class Span(NamedTuple):
    """A period of time that ends now, in steps."""

    id: str
    label: str
    steps: int
    step: timedelta
    step_name: str
    """The heading of the column of steps."""
    label_format: str
    """The format of a step's label, for strftime."""

    @property
    def redraw_after(self) -> float:
        """Seconds after which the plots are drawn again: one step, but at most ten minutes."""
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


def plots_of(span: Span, queue: str) -> list[Plot]:
    """Return finished jobs, waiting and run times of one queue, or of all if `queue` is empty.

    Blocks for one SQL statement.
    """
    now = timezone.now()
    periods = statistics.history(queue, since=now - span.step * (span.steps - 1), step=span.step)
    labels = [f"{period.start:{span.label_format}}" for period in periods]
    finished = [
        Series("completed", "up", [period.completed for period in periods]),
        Series("failed", "down", [period.failed for period in periods]),
    ]
    throughput = Plot(
        title="Finished jobs",
        x_title=span.step_name,
        labels=labels,
        series=finished,
        format_short=formats.count,
        format_full=formats.whole,
    )
    return [
        plots.bars(throughput),
        _durations("Waiting time", span, labels, [period.waits for period in periods]),
        _durations("Run time", span, labels, [period.durations for period in periods]),
    ]


def _durations(title: str, span: Span, labels: list[str], spreads: list[dict[str, int]]) -> Plot:
    p50 = Series("p50", "accent", [histogram.percentile(spread, 0.5) for spread in spreads])
    p95 = Series("p95", "secondary", [histogram.percentile(spread, 0.95) for spread in spreads])
    return plots.lines(
        Plot(
            title=title,
            x_title=span.step_name,
            labels=labels,
            series=[p50, p95],
            format_short=formats.seconds,
            format_full=formats.seconds,
        )
    )


def trends() -> dict[str, str]:
    """Return the finished jobs of each queue per minute, for the last half hour, as points of a line.

    The line is 60 wide and 16 high. Blocks.
    """
    since, minute = timezone.now() - timedelta(minutes=_TREND_MINUTES), timedelta(minutes=1)
    found = {q: statistics.history(q, since=since, step=minute)[:-1] for q in get_conf().queues}
    return {queue: _points([p.completed + p.failed for p in periods]) for queue, periods in found.items()}


def _points(numbers: list[int]) -> str:
    greatest, step = max(1, *numbers), 60 / max(1, len(numbers) - 1)
    return " ".join(f"{n * step:.1f},{15 - 14 * number / greatest:.1f}" for n, number in enumerate(numbers))
