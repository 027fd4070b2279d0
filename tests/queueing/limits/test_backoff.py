"""The wait between a failed attempt and the next one."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queueing.conf import Backoff
from queueing.limits.backoff import delay_before_retry

seconds = st.floats(0, 1e6, allow_nan=False)
backoffs = st.builds(
    Backoff,
    type=st.sampled_from(["none", "fixed", "exponential"]),
    delay=seconds,
    jitter=st.floats(0, 1),
    max_delay=seconds,
)
attempts = st.integers(1, 10_000)


def test_backoff_exponential_doubles():
    waits = [delay_before_retry(Backoff(type="exponential", delay=2), n) for n in range(1, 6)]
    assert waits == [2, 4, 8, 16, 32]


def test_backoff_fixed_is_constant():
    assert [delay_before_retry(Backoff(type="fixed", delay=7), n) for n in (1, 2, 9)] == [7, 7, 7]


def test_backoff_none_does_not_wait():
    assert delay_before_retry(Backoff(delay=9), 3) == 0


@settings(deadline=None)
@given(backoffs, attempts, seconds)
def test_backoff_any_wait_has_bounds(backoff, attempt, floor):
    wait = delay_before_retry(backoff, attempt, floor=floor)
    assert math.isfinite(wait)
    assert floor <= wait <= max(backoff.max_delay, floor)


@settings(deadline=None)
@given(backoffs, attempts)
def test_backoff_without_jitter_never_decreases(backoff, attempt):
    plain = Backoff(type=backoff.type, delay=backoff.delay, max_delay=backoff.max_delay)
    assert delay_before_retry(plain, attempt) <= delay_before_retry(plain, attempt + 1)


@settings(deadline=None)
@given(backoffs, attempts)
def test_backoff_jitter_shortens_by_up_to_its_share(backoff, attempt):
    plain = Backoff(type=backoff.type, delay=backoff.delay, max_delay=backoff.max_delay)
    whole = delay_before_retry(plain, attempt)
    wait = delay_before_retry(backoff, attempt)
    assert whole * (1 - backoff.jitter) * (1 - 1e-9) <= wait <= whole


def test_backoff_jitter_spreads_simultaneous_failures():
    backoff = Backoff(type="fixed", delay=100, jitter=0.5)
    waits = [delay_before_retry(backoff, 1) for _ in range(500)]
    assert min(waits) < 60
    assert max(waits) > 90


def test_backoff_floor_is_minimum():
    backoff = Backoff(type="exponential", delay=2, jitter=1, max_delay=10)
    assert all(delay_before_retry(backoff, 2, floor=30) == 30 for _ in range(50))


@pytest.mark.parametrize("attempt", [64, 1024, 10**9])
def test_backoff_huge_attempt_does_not_overflow(attempt):
    assert delay_before_retry(Backoff(type="exponential", delay=1e300, max_delay=60), attempt) == 60
