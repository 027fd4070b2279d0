"""Counts of one process, in place of Redis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse

from chat.limits import in_memory


@pytest.fixture(autouse=True)
def nothing_counted():
    in_memory.clear()
    yield
    in_memory.clear()


@given(
    amount=st.integers(1, 5), uses=st.lists(st.tuples(st.integers(0, 7), st.sampled_from("abc")), max_size=40)
)
def test_no_period_has_more_uses_than_its_limit(amount, uses):
    """At any times, and for any keys that are counted together."""
    in_memory.clear()
    item, now, allowed = parse(f"{amount}/5 seconds"), 0.0, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_memory.time, "monotonic", lambda: now)
        for pause, key in uses:
            now += pause
            wait = in_memory.count([("all", item), (key, item)])
            recent = sum(at > now - 5 for at in allowed)
            assert (wait == 0) == (recent < amount)
            assert wait <= 5
            if not wait:
                allowed.append(now)


def test_count_forgets_the_least_used_keys(monkeypatch):
    monkeypatch.setattr(in_memory, "_MAX_KEYS", 3)
    item = parse("1/minute")
    assert [in_memory.count([(key, item)]) > 0 for key in "abcda"] == [False] * 5
    assert in_memory.count([("d", item)]) > 59
