"""The estimated wait that clients see."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from queueing.conf import Limiter, QueueDef
from queueing.events.waits.forecast import Forecast
from queueing.events.waits.standing import estimate
from queueing.schedule.replies import Counts


def queue(concurrency=2, *, everywhere=0, limiter=None):
    """Return the definition of a queue."""
    return QueueDef(name="q", concurrency=concurrency, global_concurrency=everywhere, limiter=limiter)


def counts(*, active=0, paused=False, cooldown=0.0, limiter_starts=0, first_start=0.0):
    """Return the counts of a queue."""
    return Counts(0, 0, active, paused, cooldown, None, 0, limiter_starts, first_start)


queues = st.builds(
    queue,
    st.integers(1, 20),
    everywhere=st.integers(0, 20),
    limiter=st.none() | st.builds(Limiter, max=st.integers(1, 9), duration=st.floats(0.1, 600)),
)
several_counts = st.builds(
    counts,
    active=st.integers(0, 30),
    cooldown=st.floats(0, 600),
    limiter_starts=st.integers(0, 9),
    first_start=st.floats(0, 1),  # a share of the window, see `within`
)


def within(q, held):
    """Return the counts with their starts inside the queue's window."""
    return replace(held, first_start=held.first_start * (q.limiter.duration if q.limiter else 0))


times = st.lists(st.floats(0, 600), max_size=100)
forecasts = st.builds(Forecast, times, st.lists(st.floats(0, 600), max_size=30))
ahead = st.integers(0, 10_000)


@settings(deadline=None)
@given(queues, several_counts, forecasts, st.integers(1, 5), ahead)
def test_estimate_is_a_finite_range_with_a_reason(q, held, took, clusters, before):
    wait = estimate(q, within(q, held), took, clusters, before)
    assume(wait is not None)
    assert 0 <= wait.low <= wait.high < math.inf
    assert wait.low >= held.cooldown
    assert wait.reason in ("queue", "rate_limit", "provider")


@settings(deadline=None)
@given(queues, several_counts, forecasts, st.integers(1, 5), ahead, st.integers(1, 500))
def test_estimate_further_back_in_line_is_not_shorter(q, held, took, clusters, before, more):
    near, far = (estimate(q, within(q, held), took, clusters, n) for n in (before, before + more))
    assume(near is not None and far is not None)
    assert near.low <= far.low
    assert near.high <= far.high


@settings(deadline=None)
@given(queues, several_counts, forecasts, st.integers(1, 5), ahead)
def test_estimate_with_one_more_cluster_is_not_longer(q, held, took, clusters, before):
    few, many = (estimate(q, within(q, held), took, n, before) for n in (clusters, clusters + 1))
    assume(few is not None and many is not None)
    assert many.low <= few.low
    assert many.high <= few.high


def test_estimate_with_a_free_slot_is_zero():
    assert estimate(queue(3), counts(active=1), Forecast([4, 8]), 1, 1) == (0, 0, "queue")


def test_estimate_behind_others_is_about_their_share_of_the_slots():
    took = Forecast([2.0] * 50 + [4.0] * 50)
    wait = estimate(queue(2), counts(active=2), took, 1, 5)
    assert 5 < wait.low < 6 / 2 * 3 < wait.high < 12
    assert estimate(queue(2), counts(active=2), took, 3, 5).high <= 4


def test_estimate_with_global_concurrency_uses_it_as_capacity():
    wait = estimate(queue(10, everywhere=1), counts(active=1), Forecast([3.0] * 60), 9, 3)
    assert 10 < wait.low < 12 < wait.high < 14


def test_estimate_without_recent_durations_is_none():
    assert estimate(queue(1), counts(active=1), Forecast([]), 1, 0) is None


@pytest.mark.parametrize(
    ("held", "clusters", "reason"), [(counts(paused=True), 1, "paused"), (counts(), 0, "workers")]
)
def test_estimate_paused_or_without_workers_is_infinite(held, clusters, reason):
    assert estimate(queue(), held, Forecast([1.0]), clusters, 0) == (math.inf, math.inf, reason)


def test_estimate_paused_without_workers_names_the_pause():
    assert estimate(queue(), counts(paused=True), Forecast([]), 0, 0).reason == "paused"


def test_estimate_is_at_least_the_providers_cooldown():
    assert estimate(queue(), counts(cooldown=30), Forecast([1.0]), 1, 0) == (30, 30, "provider")


two_a_minute = queue(10, limiter=Limiter(max=2, duration=60))


@pytest.mark.parametrize(
    ("held", "before", "seconds"),
    [
        (counts(), 0, 0),
        (counts(), 1, 0),
        (counts(), 2, 60),
        (counts(), 4, 120),
        (counts(limiter_starts=1, first_start=10), 0, 0),
        (counts(limiter_starts=2, first_start=10), 0, 50),
        (counts(limiter_starts=2, first_start=10), 2, 110),
        (counts(limiter_starts=2, first_start=600), 0, 0),
    ],
)
def test_estimate_with_limiter_counts_its_window(held, before, seconds):
    wait = estimate(two_a_minute, held, Forecast([1.0]), 1, before)
    assert wait.low == seconds
    assert wait.reason == ("rate_limit" if seconds else "queue")


def start_of(ahead: int, ages: list[float], maximum: int, window: float) -> float:
    """Return when the limiter lets the job after `ahead` others start; `ages` are of the window's starts."""
    starts = [-age for age in ages]
    now = 0.0
    for _ in range(ahead + 1):
        now = max(now, starts[-maximum] + window if len(starts) >= maximum else 0.0)
        starts.append(now)
    return now


@settings(deadline=None)
@given(st.integers(1, 4), st.lists(st.floats(0, 59), max_size=4), st.integers(0, 12))
def test_estimate_range_contains_the_limiters_wait(maximum, ages, ahead):
    ages = sorted(ages, reverse=True)[:maximum]
    limited = queue(50, limiter=Limiter(max=maximum, duration=60))
    held = counts(limiter_starts=len(ages), first_start=max(ages, default=0))
    wait = estimate(limited, held, Forecast([0.0]), 1, ahead)
    assert wait.low - 0.01 <= start_of(ahead, ages, maximum, 60) <= wait.high + 0.01
