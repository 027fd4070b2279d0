"""Events as CSV, some thousand at a time as they are sent, so that millions need no memory."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db.models import Q

from .figures import of
from .models import Event

HEAD = ("at", "name", "companion", "visitor", "properties")

#: What makes a spreadsheet take a cell for a formula; a tab or newline can hide one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

_AT_ONCE = 2000


async def lines(since: datetime, companion: str = "") -> AsyncIterator[str]:
    """The head, and then the events from `since`, oldest first, many lines at a time."""
    yield _csv([HEAD])
    at, last = since, 0
    while events := await sync_to_async(_after)(at, last, companion):
        yield _csv(map(_row, events))
        at, last = events[-1].at, events[-1].pk


def _after(at: datetime, last: int, companion: str) -> list[Event]:
    """The next events: those of the same moment have a greater id. A query each, and none left open."""
    events = Event.objects.filter(of(companion), Q(at__gt=at) | Q(at=at, id__gt=last), at__gte=at)
    return list(events.order_by("at", "id")[:_AT_ONCE])


def _row(event: Event) -> Iterable[str]:
    properties = json.dumps(event.properties, ensure_ascii=False, sort_keys=True)
    return event.at.isoformat(), event.name, event.companion, event.visitor, properties


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str) -> str:
    """The cell as text that no spreadsheet calculates."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
