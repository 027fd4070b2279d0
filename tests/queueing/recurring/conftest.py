"""A clock that the tests of recurring jobs set, and a recurring job that is due each ten minutes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from queueing.models import RecurringJob
from queueing.recurring import ticking, verbs
from queueing.recurring.definition import Definition

NOON = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)


class Clock:
    """The time that the code under test reads."""

    def __init__(self) -> None:
        self.now = NOON

    def step(self, **duration: float) -> datetime:
        """Set the clock forward, or back, and return the time."""
        self.now += timedelta(**duration)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock, at half a minute past noon."""
    found = Clock()
    monkeypatch.setattr(timezone, "now", lambda: found.now)
    return found


def look() -> None:
    """Do what a worker does: handle what is due, until nothing is."""
    while due := [key for key, at in ticking.next_looks() if at <= timezone.now()]:
        for key in due:
            ticking.handle(key)


@pytest.fixture
def recurring_job(clock: Clock) -> Callable[..., RecurringJob]:
    """Return a function that stores a recurring job: `test.noop` each ten minutes, or with other values."""

    def stored(**values: Any) -> RecurringJob:
        given = {"name": "r", "kind": "test.noop", "time_zone": "UTC"} | values
        if not given.get("cron"):
            given.setdefault("every", 600)
        return verbs.store(Definition(**given))

    return stored
