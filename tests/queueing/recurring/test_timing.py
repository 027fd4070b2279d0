"""The times of recurring jobs, also where clocks are changed."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.errors import BadValue
from queueing.recurring.timing import MAX_COUNTED, Timing, checked

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def ticks_of(cron: str, zone: str, day: str, number: int) -> list[str]:
    """Return the first local times from the midnight before `day` on."""
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) - timedelta(seconds=1)
    ticks = islice(Timing(cron=cron, time_zone=zone).ticks_after(start), number)
    return [tick.astimezone(ZoneInfo(zone)).strftime("%d %H:%M%z") for tick in ticks]


@pytest.mark.parametrize(
    ("cron", "zone", "day", "expected"),
    [
        # The clock goes forward: what does not exist runs at the end of the gap, once.
        ("30 2 * * *", BERLIN, "2026-03-29", ["29 03:00+0200", "30 02:30+0200"]),
        ("0,30 2-3 * * *", BERLIN, "2026-03-29", ["29 03:00+0200", "29 03:30+0200", "30 02:00+0200"]),
        ("30 2 * * *", NEW_YORK, "2026-03-08", ["08 03:00-0400", "09 02:30-0400"]),
        ("15 2 * * *", LORD_HOWE, "2026-10-04", ["04 02:30+1100", "05 02:15+1100"]),  # half an hour
        ("*/30 * * * *", BERLIN, "2026-03-29", ["29 00:00+0100", "29 00:30+0100", "29 01:00+0100"]),
        # The clock goes back: what exists twice runs once, the first time. Hourly work runs in both hours.
        ("30 2 * * *", BERLIN, "2026-10-25", ["25 02:30+0200", "26 02:30+0100"]),
        ("15,45 2 * * *", BERLIN, "2026-10-25", ["25 02:15+0200", "25 02:45+0200", "26 02:15+0100"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01", ["01 01:30-0400", "02 01:30-0500"]),
        ("45 1 * * *", LORD_HOWE, "2027-04-04", ["04 01:45+1100", "05 01:45+1030"]),
        ("30 * * * *", NEW_YORK, "2026-11-01", ["01 00:30-0400", "01 01:30-0400", "01 01:30-0500"]),
        # A zone without changes, half an hour off.
        ("30 2 * * *", "Asia/Kolkata", "2026-03-29", ["29 02:30+0530", "30 02:30+0530"]),
    ],
)
def test_cron_where_clocks_are_changed_runs_as_cron_does(cron, zone, day, expected):
    assert ticks_of(cron, zone, day, len(expected)) == expected


CRONS = [
    "30 2 * * *",
    "*/20 1-3 * * *",
    "0,30 2 * * *",
    "15 * * * *",
    "50 1 * * SUN",
    "0 0 L * *",
    "*/7 2 * * * *",
]
#: Three days around each change of a clock.
CHANGES = [
    (BERLIN, "2026-03-28"),
    (BERLIN, "2026-10-24"),
    (NEW_YORK, "2026-10-31"),
    (LORD_HOWE, "2027-04-03"),
]


@given(st.sampled_from(CRONS), st.sampled_from(CHANGES), st.data())
def test_next_tick_from_any_moment_is_that_of_the_whole_sequence(cron, change, data):
    """A worker knows only the last tick: looking from there, or from between, gives the same ticks."""
    timing = Timing(cron=cron, time_zone=change[0])
    start = datetime.fromisoformat(change[1]).replace(tzinfo=ZoneInfo(change[0])).astimezone(UTC)
    ticks = list(islice(timing.ticks_after(start), 60))
    assert ticks == sorted(set(ticks))
    at = data.draw(st.integers(0, len(ticks) - 2))
    between = data.draw(st.floats(0, 0.999)) * (ticks[at + 1] - ticks[at])
    assert timing.next_after(ticks[at] + between) == ticks[at + 1]
    newest = data.draw(st.integers(1, 10))
    assert timing.newest(ticks[0], ticks[at], newest) == ticks[: at + 1][-newest:]
    assert timing.count(ticks[0], ticks[at]) == at


def test_interval_counts_from_the_epoch_and_does_not_drift():
    timing = Timing(every=7)
    start = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    ticks = list(islice(timing.ticks_after(start), 3))
    assert all(tick.timestamp() % 7 == 0 for tick in ticks)
    assert timing.next_after(ticks[0]) == ticks[1]
    assert timing.newest(start, ticks[2], 2) == ticks[1:]


def test_ticks_of_a_long_time_are_counted_to_a_limit():
    timing, start = Timing(cron="* * * * * *"), datetime(2020, 1, 1, tzinfo=UTC)
    assert timing.count(start, datetime(2026, 1, 1, tzinfo=UTC)) == MAX_COUNTED + 1
    assert len(timing.newest(start, datetime(2026, 1, 1, tzinfo=UTC), 100)) == 100


@pytest.mark.parametrize(
    ("cron", "named"),
    [
        ("61 * * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("* * * *", "wrong number of fields"),
        ("@daily", "wrong number of fields"),
        ("0 0 * * MON#9", "bad day-of-week"),
        ("x" * 201, "too many"),
    ],
)
def test_cron_that_is_wrong_is_refused_with_its_field_and_how_to_write_it(cron, named):
    with pytest.raises(BadValue, match=named) as caught:
        checked(cron=cron, every=None, time_zone="UTC")
    assert caught.value.field == "cron"
    assert "minute, hour" in caught.value.message or named == "too many"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "..", "Europe", "/etc/passwd", "\0", "x" * 300])
def test_time_zone_that_is_unknown_is_refused(zone):
    with pytest.raises(BadValue, match="IANA"):
        checked(cron="0 3 * * *", every=None, time_zone=zone)


@pytest.mark.parametrize("every", [0, -5, 1.5, True, "60", 10**9])
def test_interval_that_is_wrong_is_refused(every):
    with pytest.raises(BadValue, match="every"):
        checked(cron="", every=every, time_zone="UTC")


@given(st.one_of(st.text(), st.text("0123456789*/-,L#W SUNMO", max_size=60)))
def test_cron_of_any_text_is_refused_or_has_ticks(text):
    try:
        timing = checked(cron=text, every=None, time_zone=BERLIN)
    except BadValue:
        return
    assert timing.next_after(datetime(2026, 1, 1, tzinfo=UTC))
    assert timing.explain()


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        (Timing(cron="0 3 * * *", time_zone=BERLIN), "At 03:00 every day (Europe/Berlin)"),
        (Timing(every=3600), "Every hour"),
        (Timing(every=1), "Every second"),
        (Timing(every=90), "Every 90 seconds"),
        (Timing(every=172800), "Every 2 days"),
    ],
)
def test_times_are_explained_in_words(timing, words):
    assert timing.explain() == words
