"""Writing a batch of events: the events, their sums, and who was there. A handful of statements."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import transaction

from queueing.api.charts import histogram

from .event_names import CUSTOM, OWN
from .models import Event, Rollup, Visit

HOUR, DAY = 3600, 86400
#: Properties whose spread is kept besides the sum; in seconds.
SPREADS = ("wait", "run")


@transaction.atomic(savepoint=False)
def store(rows: list[list[Any]]) -> None:
    """Keep events as `delivery.py` wrote them: all or none."""
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
    _note_visits(events)
    _sum_up(events)


def _note_visits(events: Iterable[Event]) -> None:
    seen = {
        (companion, event.at.date(), event.visitor)
        for event in events
        if event.visitor
        for companion in {"", event.companion}
    }
    # In order, here and below: two batches at once then never wait for each other in a circle.
    visits = [Visit(companion=c, day=day, visitor=visitor) for c, day, visitor in sorted(seen)]
    Visit.objects.bulk_create(visits, ignore_conflicts=True)


class Key(NamedTuple):
    """What a rollup is of; its unique fields."""

    seconds: int
    start: datetime
    name: str
    companion: str
    code: str


@dataclass
class Sum:
    """What a batch adds to a rollup."""

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    spreads: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        self.count += 1
        if event.name not in OWN:
            return  # what clients send in numbers is theirs to add up
        for name, value in event.properties.items():
            if isinstance(value, str):
                continue
            self.sums[name] = self.sums.get(name, 0) + value
            if name in SPREADS:
                one = {str(histogram.bucket(value)): 1}
                self.spreads[name] = histogram.merge((self.spreads.get(name, {}), one))


def _sum_up(events: Iterable[Event]) -> None:
    found: dict[Key, Sum] = defaultdict(Sum)
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
    changed = [row for row in known if _add(row, found)]
    Rollup.objects.bulk_update(changed, ["count", "sums", "spreads"])


def _keys(event: Event) -> Iterable[Key]:
    name = CUSTOM if event.name.startswith(CUSTOM) else event.name
    code = str(event.properties.get("code", "")) if name in OWN else ""
    midnight = event.at.replace(hour=0, minute=0, second=0, microsecond=0)
    yield Key(DAY, midnight, name, event.companion, code)
    yield Key(HOUR, midnight.replace(hour=event.at.hour), name, event.companion, code)


def _add(row: Rollup, found: dict[Key, Sum]) -> bool:
    more = found.get(Key(row.seconds, row.start, row.name, row.companion, row.code))
    if more is None:
        return False
    row.count += more.count
    for name, value in more.sums.items():
        row.sums[name] = row.sums.get(name, 0) + value
    for name, counts in more.spreads.items():
        row.spreads[name] = histogram.merge((row.spreads.get(name, {}), counts))
    return True
