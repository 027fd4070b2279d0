"""Events as CSV, read in batches while they are sent, so that millions of them need little memory."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db.models import Q

from chat.analytics.models import Event

from .figures import companion_filter

HEADER = ("at", "name", "companion", "visitor", "properties")

#: First characters that make a spreadsheet read a cell as a formula, some of them in East Asian versions.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

#: Events read by one query.
_BATCH_SIZE = 2000


async def lines(
    since: datetime, companion: str = "", *, is_allowed: Callable[[], bool] = lambda: True
) -> AsyncIterator[str]:
    """Yield the header, then the events from `since`, oldest first, many lines at a time.

    `is_allowed` is asked before each part: a permission can be taken away meanwhile. It may block.
    """
    yield _csv([HEADER])
    at, last = since, 0
    while events := await sync_to_async(_after)(at, last, companion):
        if not await sync_to_async(is_allowed)():
            return
        yield _csv(map(_row, events))
        at, last = events[-1].at, events[-1].pk


def _after(at: datetime, last: int, companion: str) -> list[Event]:
    """Return the next events: those at the same time have a greater id. No query stays open between calls."""
    events = Event.objects.filter(
        companion_filter(companion), Q(at__gt=at) | Q(at=at, id__gt=last), at__gte=at
    )
    return list(events.order_by("at", "id")[:_BATCH_SIZE])


def _row(event: Event) -> Iterable[str]:
    properties = json.dumps(event.properties, ensure_ascii=False, sort_keys=True)
    return event.at.isoformat(), event.name, event.companion, event.visitor, properties


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue()


def escape_formula(cell: str) -> str:
    """Return the cell as text that no spreadsheet reads as a formula."""
    is_hidden = cell[:1].isspace() or not cell[:1].isprintable()
    return f"'{cell}" if is_hidden or cell.startswith(_FORMULA) else cell
