"""Storing a batch of events with their rollups and visits, in a handful of statements."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import transaction

from queueing.api.charts import histogram

from .models import Event, Rollup, Visit
from .tracking.event_names import CUSTOM_PREFIX, SERVER_EVENTS

#: Seconds.
HOUR, DAY = 3600, 86400
#: Properties in seconds, for which a histogram is stored besides the sum.
DURATIONS = ("wait", "run")


@transaction.atomic(savepoint=False)
def store_events(rows: list[list[Any]]) -> None:
    """Store events as `batches.py` wrote them: all or none."""
    events = [
        Event(
            at=datetime.fromtimestamp(at, UTC),
            name=name,
            companion=companion,
            visitor=visitor,
            properties=more,
        )
        for at, name, companion, visitor, more in rows
    ]
    Event.objects.bulk_create(events)
    _record_visits(events)
    _update_rollups(events)


def _record_visits(events: Iterable[Event]) -> None:
    seen = {
        (companion, event.at.date(), event.visitor)
        for event in events
        if event.visitor
        for companion in {"", event.companion}
    }
    # Sorted, here and below, so that two batches at the same time cannot deadlock.
    visits = [Visit(companion=c, day=day, visitor=visitor) for c, day, visitor in sorted(seen)]
    Visit.objects.bulk_create(visits, ignore_conflicts=True)


class RollupKey(NamedTuple):
    """The unique fields of a rollup."""

    seconds: int
    start: datetime
    name: str
    companion: str
    code: str


@dataclass
class Totals:
    """The totals that a batch adds to a rollup."""

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Add one event."""
        self.count += 1
        if event.name not in SERVER_EVENTS:
            return  # the numbers of clients are not summed here
        for name, value in event.properties.items():
            if isinstance(value, str):
                continue
            self.sums[name] = self.sums.get(name, 0) + value
            if name in DURATIONS:
                one = {str(histogram.bucket(value)): 1}
                self.histograms[name] = histogram.merge((self.histograms.get(name, {}), one))


def _update_rollups(events: Iterable[Event]) -> None:
    found: dict[RollupKey, Totals] = defaultdict(Totals)
    for event in events:
        for key in _keys(event):
            found[key].add(event)
    empty = [Rollup(**key._asdict()) for key in sorted(found)]
    Rollup.objects.bulk_create(empty, ignore_conflicts=True)
    known = (
        Rollup.objects.select_for_update()
        .order_by("id")
        .filter(
            seconds__in={key.seconds for key in found},
            start__in={key.start for key in found},
            name__in={key.name for key in found},
        )
    )
    changed = [row for row in known if _add_totals(row, found)]
    Rollup.objects.bulk_update(changed, ["count", "sums", "histograms"])


def _keys(event: Event) -> Iterable[RollupKey]:
    name = CUSTOM_PREFIX if event.name.startswith(CUSTOM_PREFIX) else event.name
    code = str(event.properties.get("code", "")) if name in SERVER_EVENTS else ""
    midnight = event.at.replace(hour=0, minute=0, second=0, microsecond=0)
    yield RollupKey(DAY, midnight, name, event.companion, code)
    yield RollupKey(HOUR, midnight.replace(hour=event.at.hour), name, event.companion, code)


def _add_totals(row: Rollup, found: dict[RollupKey, Totals]) -> bool:
    more = found.get(RollupKey(row.seconds, row.start, row.name, row.companion, row.code))
    if more is None:
        return False
    row.count += more.count
    for name, value in more.sums.items():
        row.sums[name] = row.sums.get(name, 0) + value
    for name, counts in more.histograms.items():
        row.histograms[name] = histogram.merge((row.histograms.get(name, {}), counts))
    return True
