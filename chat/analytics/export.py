"""Events as CSV, row by row as they are read, so that millions need no memory."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .figures import of
from .models import Event

HEAD = ("at", "name", "companion", "visitor", "properties")

#: What makes a spreadsheet take a cell for a formula; a tab or newline can hide one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

_AT_ONCE = 2000


class _Line:
    """What `csv` takes for a file: it hands back the line it is given."""

    def write(self, line: str) -> str:
        return line


def lines(since: datetime, companion: str = "") -> Iterator[str]:
    """The head and then each event from `since`, oldest first. Blocks."""
    writer: Any = csv.writer(_Line())
    yield writer.writerow(HEAD)
    events = Event.objects.filter(of(companion), at__gte=since).order_by("at", "id")
    for event in events.iterator(chunk_size=_AT_ONCE):
        properties = json.dumps(event.properties, ensure_ascii=False)
        row = (event.at.isoformat(), event.name, event.companion, event.visitor, properties)
        yield writer.writerow(harmless(cell) for cell in row)


def harmless(cell: str) -> str:
    """The cell as text that no spreadsheet calculates."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
