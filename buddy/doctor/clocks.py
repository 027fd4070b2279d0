"""The clocks of this host, Redis, the database and the hosts of the workers."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection
from django.utils import timezone

from queueing.api import monitoring, redis

from .findings import OK, WARNING, Finding

ADVICE = "Clocks are read from the database and Redis: correct these first."
#: Seconds by which clocks may differ: one-time codes, sign-in links and logs stay right.
TOLERANCE = 2.0


def examine() -> Iterator[Finding]:
    """Yield how far the clocks that can be read are from that of this host."""
    offsets = dict(_offsets())
    wrong = {name: offset for name, offset in offsets.items() if abs(offset) > TOLERANCE}
    for name, offset in wrong.items():
        text = (
            f"the clock of {name} is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} this host's"
        )
        yield Finding(
            WARNING, text, "Let one time service (chrony, systemd-timesyncd) set the clocks of all hosts."
        )
    if not wrong:
        yield Finding(OK, f"equal within {TOLERANCE:g} s: this host, {', '.join(offsets) or 'no other'}")


def _offsets() -> Iterator[tuple[str, float]]:
    """Yield (whose, seconds that its clock is ahead of ours). What is unreachable is reported elsewhere."""
    with suppress(*redis.Unavailable):
        began = time.time()
        seconds, micros = redis.client().time()
        yield "Redis", seconds + micros / 1e6 - (began + time.time()) / 2
    with suppress(DatabaseError, *redis.Unavailable):
        if connection.vendor == "postgresql":
            yield "the database", _database_offset()
        yield from _worker_offsets()


def _database_offset() -> float:
    began = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return float(cursor.fetchone()[0].timestamp() - (began + time.time()) / 2)


def _worker_offsets() -> Iterator[tuple[str, float]]:
    """Yield the offsets of the workers' hosts: a heartbeat has their clock and that of Redis."""
    seconds, micros = redis.client().time()
    ahead = seconds + micros / 1e6 - timezone.now().timestamp()
    for worker in async_to_sync(monitoring.queue_overview)()["workers"]:
        began = worker["started"]
        if isinstance(began, str):
            began = datetime.fromisoformat(began).astimezone(UTC).timestamp()
        yield f"worker host {worker['host']}", began + worker["up"] - worker["at"] + ahead
