"""Jobs for tracked events: the events are checked, their visitors hashed, and as many as fit share a job."""

import hmac
import json
import logging
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, transaction

from chat.analytics.models import Salt
from chat.errors import InvalidInput
from queueing.api import Rejected, max_payload, submit

from .event_names import check
from .tracked_event import TrackedEvent

logger = logging.getLogger(__name__)

#: Errors after which the events can be submitted later.
TEMPORARY_ERRORS = (DatabaseError, Rejected)

#: Bytes of a job's arguments besides the events themselves.
_ENVELOPE_BYTES = 64

#: The salts of the last two days. When a day's row is deleted too, no hash leads back to an owner.
_salts: dict[date, bytes] = {}


def submit_events(events: Iterable[TrackedEvent]) -> None:
    """Submit `analytics.write` jobs for `events`. Blocks.

    Raises one of `TEMPORARY_ERRORS`; then nothing was submitted.
    """
    close_old_connections()
    try:
        rows = [row for event in events if (row := _row(event))]
        with transaction.atomic():
            for batch in _batches(rows):
                submit("analytics.write", {"events": batch}, priority=1)
    finally:
        close_old_connections()


def _row(event: TrackedEvent) -> list[Any] | None:
    """Return the event as the job carries it and `rollups.py` reads it; None for an invalid event."""
    at, name, owner, companion, properties = event
    try:
        check(name, properties)
    except InvalidInput as exc:
        logger.error("an invalid event was dropped: %s", exc)
        return None
    day = datetime.fromtimestamp(at, UTC).date()
    return [at, name, companion, _visitor_hash(owner, day) if owner else "", properties]


def _visitor_hash(owner: str, day: date) -> str:
    """Return 24 hex digits: the same for an owner during a day (UTC), and different on the next day."""
    return hmac.digest(_salt(day), owner.encode(), "sha256")[:12].hex()


def _salt(day: date) -> bytes:
    if day not in _salts:
        salt, _ = Salt.objects.get_or_create(day=day, defaults={"secret": secrets.token_bytes(32)})
        for old in sorted(_salts)[:-1]:
            del _salts[old]
        _salts[day] = bytes(salt.secret)
    return _salts[day]


def _batches(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """Yield the rows in batches whose JSON fits into a job."""
    max_bytes = max_payload() - _ENVELOPE_BYTES
    batch: list[list[Any]] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row, ensure_ascii=False).encode()) + 2
        if batch and size + length > max_bytes:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch
