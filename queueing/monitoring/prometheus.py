"""The queues as Prometheus reads them: counts only, read when somebody asks, the same from every process.

Names begin with `QUEUEING["PREFIX"]`; docs/metrics.md lists them. Nothing is labelled by owner.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from queueing.conf import get_conf
from queueing.models import QueueMinute
from queueing.states import State

from . import histogram
from .cumulative import CumulativeSums

Source = Callable[[], Iterable[Metric]]

_sources: list[Source] = []

#: Ours are four buckets a doubling; every fourth is told: 1 ms, 2 ms, … 1 hour 10 minutes.
_TOLD = range(0, 4 * 23, 4)
_STATES = (State.WAITING, State.ACTIVE, State.DELAYED)


def register_metrics(source: Source) -> None:
    """Let `source()` add metrics of its own to each answer; it may ask the database."""
    if source not in _sources:
        _sources.append(source)


def metric_name(of: str) -> str:
    """The full name of a metric."""
    return f"{get_conf().prefix}_{of}"


def metrics_text(seen: dict[str, Any]) -> bytes:
    """All metrics in Prometheus' text format, `seen` being what `health.look` saw. Blocks."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once([*_of_now(seen), *_of_ever(), *(m for source in _sources for m in source())]))
    return generate_latest(registry)


class _Once(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_now(seen: dict[str, Any]) -> Iterator[Metric]:
    up = seen["redis"] == "ok"
    yield GaugeMetricFamily(metric_name("redis_up"), "1 when Redis answers.", value=up)
    warnings = _gauge("warning", "1 for each warning of the dashboard.", "code", "queue", "level")
    for warning in seen["warnings"]:
        warnings.add_metric([warning["code"], warning["queue"], warning["level"]], 1)
    yield warnings
    if not up:
        return  # what is not known is absent, not 0
    yield from _of_workers(seen["workers"])
    jobs = _gauge("jobs", "Unfinished jobs.", "queue", "state")
    oldest = _gauge("queue_oldest_waiting_seconds", "How long the next in line has waited.", "queue")
    paused = _gauge("queue_paused", "1 while the queue is paused.", "queue")
    cooldown = _gauge("upstream_cooldown_seconds", "What is left of the provider's cooldown.", "queue")
    for queue in seen["queues"]:
        for state in _STATES:
            jobs.add_metric([queue["name"], state], queue[state])
        oldest.add_metric([queue["name"]], queue["oldestWaiting"] or 0)
        paused.add_metric([queue["name"]], queue["paused"])
        cooldown.add_metric([queue["name"]], queue["cooldown"])
    yield from (jobs, oldest, paused, cooldown)


def _of_workers(workers: list[dict[str, Any]]) -> Iterator[Metric]:
    running = sum(worker["running"] for worker in workers)
    slots = sum(worker["slots"] for worker in workers)
    yield GaugeMetricFamily(
        metric_name("workers"), "Worker processes with a fresh heartbeat.", value=len(workers)
    )
    yield GaugeMetricFamily(metric_name("worker_slots"), "Jobs they can hold together.", value=slots)
    yield GaugeMetricFamily(metric_name("worker_jobs"), "Jobs they hold.", value=running)
    if workers:
        # The oldest of them, without a label: ids of workers are new at each start.
        age = max(worker["age"] for worker in workers)
        yield GaugeMetricFamily(
            metric_name("worker_heartbeat_age_seconds"), "Of the latest to report.", value=age
        )


def _gauge(of: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric_name(of), documentation, labels=labels)


#: (queue, what, bucket): how many. `what` is a field of `Tally`, and `bucket` empty for its plain numbers.
_Key = tuple[str, str, str]
_PLAIN = ("completed", "failed", "retried")


def _tallied(since: datetime | None, until: datetime | None) -> Counter[_Key]:
    rows = QueueMinute.objects.all()
    if since:
        rows = rows.filter(start__gte=since)
    if until:
        rows = rows.filter(start__lt=until)
    sums: Counter[_Key] = Counter()
    for queue, *plain, waits, durations in rows.values_list(
        "queue", *_PLAIN, "waits", "durations"
    ).iterator():
        for what, count in zip(_PLAIN, plain, strict=True):
            sums[queue, what, ""] += count
        for what, spread in (("waits", waits), ("durations", durations)):
            for bucket, count in spread.items():
                sums[queue, what, bucket] += count
    return sums


_ever = CumulativeSums(_tallied)


def _of_ever() -> Iterator[Metric]:
    sums = _ever.total()
    queues = sorted(get_conf().queues)
    finished = CounterMetricFamily(
        metric_name("jobs_finished"), "Jobs that ended, but for cancelled ones.", labels=["queue", "outcome"]
    )
    attempts = CounterMetricFamily(
        metric_name("job_attempts"), "Attempts; retried ones are tried again.", labels=["queue", "result"]
    )
    for queue in queues:
        for what in ("completed", "failed"):
            finished.add_metric([queue, what], sums[queue, what, ""])
        for what in _PLAIN:
            attempts.add_metric([queue, what], sums[queue, what, ""])
    yield from (finished, attempts)
    for metric, what, documentation in (
        ("job_wait_seconds", "waits", "Seconds in line before the ending attempt."),
        ("job_run_seconds", "durations", "Seconds the ending attempt took."),
    ):
        family = HistogramMetricFamily(metric_name(metric), documentation, labels=["queue"])
        for queue in queues:
            family.add_metric([queue], *_told({k[2]: n for k, n in sums.items() if k[:2] == (queue, what)}))
        yield family


def _told(counts: dict[str, int]) -> tuple[list[tuple[str, float]], float]:
    """A histogram as Prometheus has them: cumulative buckets, and the sum of all durations.

    The sum is made of the buckets' middles, so it is right to within a tenth.
    """
    numbers = {int(number): count for number, count in counts.items()}
    buckets = [
        (f"{histogram.upper_bound(told):g}", float(sum(n for b, n in numbers.items() if b <= told)))
        for told in _TOLD
    ]
    middles = sum(count * histogram.upper_bound(b) * 2**-0.125 for b, count in numbers.items())
    return [*buckets, ("+Inf", float(sum(numbers.values())))], middles
