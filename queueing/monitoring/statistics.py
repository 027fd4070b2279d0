"""Statistics of the queues from the database: throughput, waiting and run times, failures of any period."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from queueing.models import QueueMinute

from . import histogram


@dataclass
class Period:
    """The numbers of one queue, or of all, in one period."""

    start: datetime
    seconds: float
    completed: int = 0
    failed: int = 0
    retried: int = 0
    waits: dict[str, int] = field(default_factory=dict)
    durations: dict[str, int] = field(default_factory=dict)

    def add(self, row: QueueMinute) -> None:
        """Add a row."""
        self.completed += row.completed
        self.failed += row.failed
        self.retried += row.retried
        self.waits = histogram.merge((self.waits, row.waits))
        self.durations = histogram.merge((self.durations, row.durations))

    @property
    def failure_rate(self) -> float | None:
        """The share of failed jobs among the finished ones, 0 to 1; None without finished jobs."""
        ended = self.completed + self.failed
        return self.failed / ended if ended else None

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for the API and the dashboard. Durations are in seconds."""
        return {
            "start": self.start.isoformat(),
            "seconds": round(self.seconds),
            "completed": self.completed,
            "failed": self.failed,
            "retried": self.retried,
            "perMinute": round(60 * (self.completed + self.failed) / self.seconds, 2),
            "failureRate": self.failure_rate,
            "wait": _percentiles(self.waits),
            "run": _percentiles(self.durations),
        }


def _percentiles(counts: dict[str, int]) -> dict[str, float | None]:
    return {f"p{share}": histogram.percentile(counts, share / 100) for share in (50, 95, 99)}


def recent(minutes: int = 5) -> dict[str, Period]:
    """Return one period of the last `minutes` for each queue that finished or retried jobs."""
    now = timezone.now()
    since = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes - 1)
    found: dict[str, Period] = {}
    for row in QueueMinute.objects.filter(start__gte=since):
        period = found.setdefault(row.queue, Period(since, (now - since).total_seconds()))
        period.add(row)
    return found


def totals(hours: int = 24) -> dict[str, dict[str, int]]:
    """Return the completed, failed and retried counts of each queue in the last `hours`."""
    rows = QueueMinute.objects.filter(start__gte=timezone.now() - timedelta(hours=hours)).values("queue")
    sums = rows.annotate(completed=Sum("completed"), failed=Sum("failed"), retried=Sum("retried"))
    return {row.pop("queue"): dict(row) for row in sums.order_by("queue")}


def completed_since(since: datetime, queues: Collection[str]) -> int:
    """Return the number of jobs of the queues that completed in the minute of `since`, or later."""
    minute = since.replace(second=0, microsecond=0)
    rows = QueueMinute.objects.filter(start__gte=minute, queue__in=queues)
    return rows.aggregate(completed=Sum("completed"))["completed"] or 0


def summary() -> dict[str, dict[str, Any]]:
    """Return the last five minutes in detail and the sums of the last day, for each queue with any."""
    last = {queue: period.as_json() for queue, period in recent().items()}
    return {queue: {"recent": last.get(queue), "day": sums} for queue, sums in totals().items()}


def history(queue: str, *, since: datetime, step: timedelta) -> list[Period]:
    """Return the periods from `since` (an aware time) to now, of one queue or, if `queue` is empty, of all.

    Periods without jobs are included, so that plots have even steps.
    """
    seconds = step.total_seconds()
    now = timezone.now()
    first = datetime.fromtimestamp(since.timestamp() // seconds * seconds, tz=since.tzinfo)
    rows: dict[int, list[QueueMinute]] = defaultdict(list)
    found = QueueMinute.objects.filter(start__gte=first)
    for row in found.filter(queue=queue) if queue else found:
        rows[int((row.start - first).total_seconds() // seconds)].append(row)
    periods = []
    for number in range(int((now - first).total_seconds() // seconds) + 1):
        period = Period(first + number * step, seconds)
        for row in rows[number]:
            period.add(row)
        periods.append(period)
    return periods
