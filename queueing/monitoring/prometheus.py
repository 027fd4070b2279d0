"""Metrics for Prometheus: only numbers, read for each scrape, the same in every process.

Names start with `QUEUEING["PREFIX"]`; docs/metrics.md lists them. No metric has a label for owners.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Min
from django.utils import timezone

from queueing.conf import get_conf
from queueing.models import QueueMinute, RecurringJob
from queueing.states import State
from queueing.values.extras import extra

from . import histogram
from .cumulative import CumulativeSums

with extra("prometheus"):
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.metrics_core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.registry import Collector

Source = Callable[[], Iterable[Metric]]

_sources: list[Source] = []

#: The exported buckets, every fourth of the histogram: 1 ms, 2 ms, … 1 hour 10 minutes.
_EXPORTED_BUCKETS = range(0, 4 * 23, 4)
_STATES = (State.WAITING, State.ACTIVE, State.DELAYED)


def register_metrics(source: Source) -> None:
    """Add the metrics of `source()` to each scrape. It may read the database."""
    if source not in _sources:
        _sources.append(source)


def metric_name(of: str) -> str:
    """Return the full name of a metric."""
    return f"{get_conf().prefix}_{of}"


def metrics_text(overview: dict[str, Any]) -> bytes:
    """Return all metrics in the text format of Prometheus. `overview` comes from `queue_health`. Blocks."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Fixed(
            [
                *_current(overview),
                *_cumulative(),
                _of_recurring_jobs(),
                *(m for source in _sources for m in source()),
            ]
        )
    )
    return generate_latest(registry)


class _Fixed(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _current(overview: dict[str, Any]) -> Iterator[Metric]:
    is_up = overview["redis"] == "ok"
    yield GaugeMetricFamily(metric_name("redis_up"), "1 if Redis answers.", value=is_up)
    warnings = _gauge("warning", "1 for each warning of the dashboard.", "code", "queue", "level")
    for labels in sorted({(w["code"], w["queue"], w["level"]) for w in overview["warnings"]}):
        warnings.add_metric(labels, 1)
    yield warnings
    if not is_up:
        return  # unknown values are absent, not 0
    yield from _of_workers(overview["workers"])
    yield from _of_clusters(overview)
    jobs = _gauge("jobs", "Unfinished jobs.", "queue", "state")
    oldest = _gauge("queue_oldest_waiting_seconds", "How long the next job has waited.", "queue")
    paused = _gauge("queue_paused", "1 while the queue is paused.", "queue")
    cooldown = _gauge(
        "upstream_cooldown_seconds", "The rest of the cooldown that the provider requested.", "queue"
    )
    outage = _gauge("upstream_outage", "1 while the provider does not answer and jobs wait.", "queue")
    demand = _gauge(
        "queue_demand", "Slots that the queue could use now: active jobs and startable ones.", "queue"
    )
    for queue in overview["queues"]:
        demand.add_metric([queue["name"]], queue["demand"])
        for state in _STATES:
            jobs.add_metric([queue["name"], state], queue[state])
        oldest.add_metric([queue["name"]], queue["oldestWaiting"] or 0)
        paused.add_metric([queue["name"]], queue["paused"])
        cooldown.add_metric([queue["name"]], queue["cooldown"])
        outage.add_metric([queue["name"]], queue["outage"])
    yield from (jobs, demand, oldest, paused, cooldown, outage, _of_unable(overview["unable"]))


def _of_unable(rows: list[dict[str, Any]]) -> GaugeMetricFamily:
    unable = _gauge("jobs_unable", "Waiting jobs that their workers could not do.", "queue", "kind")
    totals: Counter[tuple[str, str]] = Counter()
    for row in rows:
        totals[row["queue"], row["kind"]] += row["jobs"]
    for labels, jobs in totals.items():
        unable.add_metric(labels, jobs)
    return unable


def _of_workers(workers: list[dict[str, Any]]) -> Iterator[Metric]:
    running = sum(worker["running"] for worker in workers)
    slots = sum(worker["slots"] for worker in workers)
    yield GaugeMetricFamily(
        metric_name("workers"), "Worker processes with a fresh heartbeat.", value=len(workers)
    )
    yield GaugeMetricFamily(
        metric_name("worker_slots"), "Jobs that all workers can run together.", value=slots
    )
    yield GaugeMetricFamily(metric_name("worker_jobs"), "Jobs that the workers run.", value=running)
    if workers:
        # Without a label for the worker: its id changes with each start.
        age = max(worker["age"] for worker in workers)
        yield GaugeMetricFamily(
            metric_name("worker_heartbeat_age_seconds"), "Age of the oldest heartbeat.", value=age
        )


def _of_clusters(overview: dict[str, Any]) -> Iterator[Metric]:
    running = len({worker["cluster"] for worker in overview["workers"]})
    yield GaugeMetricFamily(metric_name("clusters"), "Clusters with a running worker.", value=running)
    yield GaugeMetricFamily(
        metric_name("clusters_lost"),
        "Clusters that ended without being stopped, and whose place none took.",
        value=len(overview["lostClusters"]),
    )


def _of_recurring_jobs() -> Metric:
    first = RecurringJob.objects.filter(paused=False).aggregate(first=Min("next_at"))["first"]
    late = max(0.0, (timezone.now() - first).total_seconds()) if first else 0.0
    return GaugeMetricFamily(
        metric_name("recurring_late_seconds"),
        "Age of the oldest tick of a recurring job that is due and not handled.",
        value=late,
    )


def _gauge(of: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric_name(of), documentation, labels=labels)


#: (queue, field of `QueueMinute`, bucket); the bucket is empty for plain numbers.
_Key = tuple[str, str, str]
_COUNTS = ("completed", "failed", "retried", "cancelled")
_HISTOGRAMS = ("waits", "durations", "first_texts")


def _read_sums(since: datetime | None, until: datetime | None) -> Counter[_Key]:
    rows = QueueMinute.objects.all()
    if since:
        rows = rows.filter(start__gte=since)
    if until:
        rows = rows.filter(start__lt=until)
    sums: Counter[_Key] = Counter()
    for queue, *found in rows.values_list("queue", *_COUNTS, *_HISTOGRAMS).iterator():
        for what, count in zip(_COUNTS, found[: len(_COUNTS)], strict=True):
            sums[queue, what, ""] += count
        for what, spread in zip(_HISTOGRAMS, found[len(_COUNTS) :], strict=True):
            for bucket, count in spread.items():
                sums[queue, what, bucket] += count
    return sums


_sums = CumulativeSums(_read_sums)


def _cumulative() -> Iterator[Metric]:
    sums = _sums.total()
    queues = sorted(get_conf().queues)
    finished = CounterMetricFamily(
        metric_name("jobs_finished"), "Finished jobs by outcome.", labels=["queue", "outcome"]
    )
    attempts = CounterMetricFamily(
        metric_name("job_attempts"),
        "Finished attempts by result; retried means that another attempt follows.",
        labels=["queue", "result"],
    )
    for queue in queues:
        for what in ("completed", "failed", "cancelled"):
            finished.add_metric([queue, what], sums[queue, what, ""])
        for what in ("completed", "failed", "retried"):
            attempts.add_metric([queue, what], sums[queue, what, ""])
    yield from (finished, attempts)
    for metric, what, documentation in (
        ("job_wait_seconds", "waits", "Waiting time before the last attempt, in seconds."),
        ("job_run_seconds", "durations", "Run time of the last attempt, in seconds."),
        (
            "job_first_token_seconds",
            "first_texts",
            "Time from the place in line to the first text of the last attempt, in seconds.",
        ),
    ):
        family = HistogramMetricFamily(metric_name(metric), documentation, labels=["queue"])
        for queue in queues:
            family.add_metric(
                [queue], *_histogram({k[2]: n for k, n in sums.items() if k[:2] == (queue, what)})
            )
        yield family


def _histogram(counts: dict[str, int]) -> tuple[list[tuple[str, float]], float]:
    """Return a histogram for Prometheus: cumulative buckets, and the sum of all durations.

    The sum uses the middles of the buckets, so its error is at most a tenth.
    """
    numbers = {int(number): count for number, count in counts.items()}
    buckets = [
        (f"{histogram.upper_bound(bound):g}", float(sum(n for b, n in numbers.items() if b <= bound)))
        for bound in _EXPORTED_BUCKETS
    ]
    middles = sum(count * histogram.upper_bound(b) * 2**-0.125 for b, count in numbers.items())
    return [*buckets, ("+Inf", float(sum(numbers.values())))], middles
