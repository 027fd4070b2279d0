"""The token bucket, with a clock that the test controls."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from chat.socket import flow_control


@contextmanager
def clock() -> Iterator[list[float]]:
    """A state machine whose only variable is the time."""
    now = [0.0]
    with patch.object(flow_control, "time", SimpleNamespace(monotonic=lambda: now[0])):
        yield now


def test_token_bucket_after_its_wait_has_enough_tokens():
    with clock() as now:
        bucket = flow_control.TokenBucket(20, 5)
        assert [bucket.take() for _ in range(21)] == [True] * 20 + [False]
        assert bucket.wait() == 0.2
        now[0] = 0.19
        assert not bucket.take()
        now[0] = 0.21
        assert [bucket.take(), bucket.take()] == [True, False]


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from([0.05, 0.25, 1.0])), max_size=60))
def test_token_bucket_gives_at_most_burst_and_refill(steps):
    with clock() as now:
        bucket, taken = flow_control.TokenBucket(20, 5), 0.0
        for passed, cost in steps:
            now[0] += passed
            taken += cost if bucket.take(cost) else 0
            assert taken <= 20 + 5 * now[0] + 1e-6
