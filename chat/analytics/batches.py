"""From held events to jobs: checked, their visitors hashed, as many together as a job may carry."""

import hmac
import json
import logging
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, transaction

from chat.errors import InvalidInput
from queueing.api import Rejected, max_payload, submit

from .event_names import check
from .models import Salt
from .tracker import Happening

logger = logging.getLogger(__name__)

#: What passes: the events can be delivered later.
NOT_NOW = (DatabaseError, Rejected)

#: Bytes of a job's arguments besides the events themselves.
_AROUND = 64

#: Of the latest days alone; when the row is gone, so is every way back from hash to owner.
_salts: dict[date, bytes] = {}


def deliver(happenings: Iterable[Happening]) -> None:
    """Submit `analytics.write` jobs for these. Blocks. Raises one of `NOT_NOW`, having delivered none."""
    close_old_connections()
    try:
        rows = [row for happening in happenings if (row := _row(happening))]
        with transaction.atomic():
            for batch in _fitting(rows):
                submit("analytics.write", {"events": batch}, priority=1)
    finally:
        close_old_connections()


def _row(happening: Happening) -> list[Any] | None:
    """An event as the job carries it and `store.py` reads it; None for one that should never have been."""
    at, name, owner, companion, properties = happening
    try:
        check(name, properties)
    except InvalidInput as exc:
        logger.error("an event is not kept: %s", exc)
        return None
    day = datetime.fromtimestamp(at, UTC).date()
    return [at, name, companion, _hashed(owner, day) if owner else "", properties]


def _hashed(owner: str, day: date) -> str:
    """24 hex digits that are the same for an owner all through a day (UTC), and others on the next."""
    return hmac.digest(_salt(day), owner.encode(), "sha256")[:12].hex()


def _salt(day: date) -> bytes:
    if day not in _salts:
        salt, _ = Salt.objects.get_or_create(day=day, defaults={"secret": secrets.token_bytes(32)})
        for old in sorted(_salts)[:-1]:
            del _salts[old]
        _salts[day] = bytes(salt.secret)
    return _salts[day]


def _fitting(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """The rows in parts whose JSON fits into a job."""
    most = max_payload() - _AROUND
    batch: list[list[Any]] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row, ensure_ascii=False).encode()) + 2
        if batch and size + length > most:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch
