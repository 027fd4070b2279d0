"""Cumulative sums count each row once, also after it was deleted."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from queueing.monitoring import cumulative
from queueing.monitoring.cumulative import CumulativeSums


class Table:
    """A table of rows that count 1 each, and the number of rows that were read."""

    def __init__(self) -> None:
        self.rows: list[datetime] = []
        self.asked = 0

    def read(self, since: datetime | None, until: datetime | None) -> Counter[str]:
        found = [at for at in self.rows if (not since or at >= since) and (not until or at < until)]
        self.asked += len(found)
        return Counter(rows=len(found))


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets the clock, in hours from now."""
    start = timezone.now()

    def move(hours: float) -> datetime:
        now = start + timedelta(hours=hours)
        monkeypatch.setattr(cumulative.timezone, "now", lambda: now)
        return now

    return move


def test_total_counts_each_row_once_over_time(at):
    table, now = Table(), at(0)
    table.rows = [now - timedelta(minutes=minutes) for minutes in range(0, 300, 7)]
    sums = CumulativeSums(table.read)
    for hours in (0, 0.01, 0.5, 1, 2.5, 20, 60):
        at(hours)
        assert sums.total()["rows"] == len(table.rows)


def test_total_keeps_deleted_final_rows(at):
    table, now = Table(), at(0)
    table.rows = [now - timedelta(hours=5)] * 1000 + [now - timedelta(minutes=5)]
    sums = CumulativeSums(table.read)
    assert sums.total()["rows"] == 1001
    table.asked = 0
    del table.rows[:1000]
    assert sums.total()["rows"] == 1001
    assert table.asked == 1


def test_total_includes_rows_that_still_change(at):
    table, now = Table(), at(0)
    sums = CumulativeSums(table.read)
    assert sums.total()["rows"] == 0
    table.rows.append(now - timedelta(minutes=30))
    assert sums.total()["rows"] == 1
