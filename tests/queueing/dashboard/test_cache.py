"""Cached values are read again in time, also on a slow machine."""

import pytest

from queueing.dashboard import cache


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(cache, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("took", "rest", "good_for"),
    [(0.0, True, 1.0), (0.3, True, 3.0), (2.0, True, 5.0), (60.0, True, 5.0), (2.0, False, 1.0)],
)
async def test_slow_value_is_cached_longer_up_to_a_maximum(clock, took, rest, good_for):
    values, reads = cache.TTLCache(), 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        clock.now += took
        return reads

    assert await values.get("it", 1.0, read, rest=rest) == 1
    clock.now += good_for - 0.01
    assert await values.get("it", 1.0, read, rest=rest) == 1
    clock.now += 0.02
    assert await values.get("it", 1.0, read, rest=rest) == 2


async def test_error_is_not_cached(clock):
    values = cache.TTLCache()

    async def fail() -> None:
        raise ConnectionError

    async def read() -> str:
        return "there"

    with pytest.raises(ConnectionError):
        await values.get("it", 1.0, fail)
    assert await values.get("it", 1.0, read) == "there"
