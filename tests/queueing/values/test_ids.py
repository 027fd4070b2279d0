"""Job ids sort by the time of their creation."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from queueing.values import ids
from queueing.values.ids import first_id_at, new_id

moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))


def test_new_id_is_uuid_version_7():
    made = new_id()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) / 1000 - time.time()) < 5


def test_new_id_in_one_process_strictly_increases_also_as_text():
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert [i.hex for i in made] == sorted(i.hex for i in made)


def test_new_id_in_many_threads_is_unique_and_increases():
    with ThreadPoolExecutor(8) as threads:
        runs = list(threads.map(lambda _: [new_id() for _ in range(3000)], range(8)))
    assert all(run == sorted(run) for run in runs)
    assert len({i for run in runs for i in run}) == 8 * 3000


def test_new_id_with_clock_set_back_increases(monkeypatch):
    before = new_id()
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 3600 * 10**9)
    after = [new_id() for _ in range(100)]
    assert [before, *after] == sorted({before, *after})


def test_first_id_at_bounds_ids_made_then():
    now = datetime.now(UTC)
    made = new_id()
    assert first_id_at(now) <= made < first_id_at(datetime.now(UTC) + timedelta(seconds=5))


@settings(deadline=None)
@given(moments, moments)
def test_first_id_at_is_ordered_by_time(one, other):
    early, late = sorted((one, other))
    assert first_id_at(early) <= first_id_at(late)


@settings(deadline=None)
@given(moments)
def test_first_id_at_is_not_later_than_its_time(moment):
    first = first_id_at(moment)
    assert first.version == 7
    behind = moment - datetime(1970, 1, 1, tzinfo=UTC) - timedelta(milliseconds=first.int >> 80)
    assert timedelta(0) <= behind <= timedelta(milliseconds=1.1)


def test_new_id_after_one_of_a_host_whose_clock_is_ahead_is_greater_and_moves_no_other_id(monkeypatch):
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 30 * 10**9)
    monkeypatch.setattr(ids, "_last", 0)
    ahead = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    monkeypatch.setattr(ids, "_last", 0)
    after = new_id(after=ahead)
    assert ahead < after < new_id(after=after)
    assert new_id() < ahead
