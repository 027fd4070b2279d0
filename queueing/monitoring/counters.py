"""The counters of a worker: its results per queue and minute, written to the database every heartbeat."""

import logging
import os
import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from queueing.models import QueueMinute
from queueing.record.run import Result
from queueing.states import State

from . import histogram

logger = logging.getLogger(__name__)

#: The age at which minutes are merged into hours, and hours into one row per queue. Only plots of up to a day
#: show minutes; each worker and queue has 1,440 of them a day.
KEEP_MINUTES, KEEP_HOURS = timedelta(days=2), timedelta(days=90)
#: The start and the seconds of that one row. The counters that only grow need it (prometheus.py).
BEGINNING, FOREVER = datetime.fromtimestamp(0, UTC), 0
_NUMBERS = ("completed", "failed", "retried", "cancelled")
_HISTOGRAMS = ("waits", "durations", "first_texts")
#: The states of results that end a job.
_ENDED = (State.COMPLETED, State.FAILED)


@dataclass
class _Minute:
    completed: int = 0
    failed: int = 0
    retried: int = 0
    waits: Counter[int] = field(default_factory=Counter)
    first_texts: Counter[int] = field(default_factory=Counter)
    durations: Counter[int] = field(default_factory=Counter)

    def add(self, results: Sequence[Result]) -> None:
        """Count results of one queue."""
        ended = [result for result in results if result.state in _ENDED]
        completed = sum(result.state == State.COMPLETED for result in ended)
        self.completed += completed
        self.failed += len(ended) - completed
        self.retried += len(results) - len(ended)
        self.waits.update([histogram.bucket(result.run.waited) for result in ended])
        self.durations.update([histogram.bucket(result.ran) for result in ended])
        for result in ended:
            if result.first_text is not None:
                seconds = result.run.waited + result.first_text - result.run.claimed
                self.first_texts[histogram.bucket(seconds)] += 1


class WorkerCounters:
    """Counts results in memory until `rows` are written. A crash loses the counts of one heartbeat."""

    def __init__(self, worker: str) -> None:
        self._worker = self._name = worker
        self._minutes: dict[tuple[str, str, datetime], _Minute] = {}
        """Name of the worker, queue and start -> counts."""
        self._changed: set[tuple[str, str, datetime]] = set()
        self._oldest = BEGINNING
        """Minutes before this one have been dropped from memory."""

    def add(self, results: Sequence[Result]) -> None:
        """Count recorded results in the minute in which the first of them ended."""
        if not results:
            return
        start = results[0].ended_at.replace(second=0, microsecond=0)
        if start < self._oldest:
            # The clock was set back. Rows of the same name would replace those of this minute's first time.
            self._name, self._oldest = f"{self._worker}~{secrets.token_hex(3)}", BEGINNING
        by_queue: dict[str, list[Result]] = defaultdict(list)
        for result in results:
            by_queue[result.run.queue].append(result)
        for queue, ended in by_queue.items():
            key = (self._name, queue, start)
            self._changed.add(key)
            self._minutes.setdefault(key, _Minute()).add(ended)

    def rows(self) -> list[QueueMinute]:
        """Return the rows that changed since the last call, and drop finished minutes from memory."""
        rows = [
            QueueMinute(
                queue=queue,
                worker=name,
                start=start,
                completed=counts.completed,
                failed=counts.failed,
                retried=counts.retried,
                waits=_as_json(counts.waits),
                durations=_as_json(counts.durations),
                first_texts=_as_json(counts.first_texts),
            )
            for (name, queue, start) in self._changed
            for counts in [self._minutes[name, queue, start]]
        ]
        self._changed.clear()
        self._oldest = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=2)
        self._minutes = {key: m for key, m in self._minutes.items() if key[2] >= self._oldest}
        return rows


def _as_json(spread: Mapping[int, int]) -> dict[str, int]:
    return {str(bucket): count for bucket, count in spread.items()}


def write(rows: list[QueueMinute]) -> None:
    """Store rows of a worker; each replaces what the worker wrote for the same minute before."""
    QueueMinute.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["start", "queue", "worker", "seconds"],
        update_fields=[*_NUMBERS, *_HISTOGRAMS],
    )


_process = ""


def count_cancelled(queue: str) -> None:
    """Count one cancelled job, in the transaction that cancels it. Each process has rows of its own."""
    global _process
    if not _process.startswith(f"-{os.getpid()}-"):  # also after a fork
        _process = f"-{os.getpid()}-{secrets.token_hex(4)}"
    start = timezone.now().replace(second=0, microsecond=0)
    own = {"queue": queue, "worker": _process, "start": start, "seconds": 60}
    count = QueueMinute.objects.filter(**own)
    if not count.update(cancelled=F("cancelled") + 1):
        QueueMinute.objects.bulk_create([QueueMinute(**own)], ignore_conflicts=True)
        count.update(cancelled=F("cancelled") + 1)


def compact() -> int:
    """Merge old minutes of one queue into an hour, or its old hours into one row. Return 0 if none are left.

    One call takes a short time; call it until it returns 0. The sums over the rows of a queue stay the same.
    """
    now = timezone.now()
    if old := QueueMinute.objects.filter(seconds=3600, start__lt=now - KEEP_HOURS).first():
        hours = Q(seconds__in=(3600, FOREVER), start__lt=now - KEEP_HOURS)
        _merge(old.queue, hours, BEGINNING, FOREVER)
        return 1
    if (
        first := QueueMinute.objects.filter(seconds=60, start__lt=now - KEEP_MINUTES)
        .order_by("start")
        .first()
    ):
        hour = first.start.replace(minute=0)
        minutes = Q(seconds=60, start__gte=hour, start__lt=hour + timedelta(hours=1))
        _merge(first.queue, minutes, hour, 3600)
        return 1
    return 0


def _merge(queue: str, which: Q, start: datetime, seconds: int) -> None:
    """Replace rows of the queue by one row of `seconds` from `start`."""
    with transaction.atomic():
        rows = QueueMinute.objects.filter(which, queue=queue)
        sums = rows.aggregate(**{name: Sum(name) for name in _NUMBERS})
        spreads = list(rows.values_list(*_HISTOGRAMS))
        rows.delete()
        write(
            [
                QueueMinute(
                    queue=queue,
                    worker="*",
                    start=start,
                    seconds=seconds,
                    **sums,
                    **{
                        name: histogram.merge(spread[at] for spread in spreads)
                        for at, name in enumerate(_HISTOGRAMS)
                    },
                )
            ]
        )
