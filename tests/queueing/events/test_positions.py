"""`steady`: a wait that is shown never grows without a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.events.positions import steady
from queueing.events.waits.standing import Standing


def at(position: int | None, low: float | None, high: float | None, reason: str = "queue") -> Standing:
    return Standing(position, {"low": low, "high": high, "reason": reason})


@pytest.mark.parametrize(
    ("shown", "now", "then"),
    [
        (at(3, 4, 8), at(2, 3, 6), at(2, 3, 6)),
        (at(3, 4, 8), at(3, 5, 9), at(3, 4, 8)),
        (at(3, 4, 8), at(2, 6, 9), at(2, 4, 8)),
        (at(3, 4, 8), at(3, 2, 12), at(3, 2, 8)),
        (at(3, 4, 8), at(4, 6, 12), at(4, 6, 12)),
        (at(3, 4, 8), at(3, 30, 30, "rate_limit"), at(3, 30, 30, "rate_limit")),
        (at(3, 4, 8), at(3, None, None, "paused"), at(3, None, None, "paused")),
        (at(3, None, None, "paused"), at(3, 4, 8), at(3, 4, 8)),
        (at(3, 4, 8), at(3, 20, 40), at(3, 20, 40, "slow")),
        (at(3, 20, 40, "slow"), at(3, 22, 44), at(3, 20, 40, "slow")),
        (at(3, 20, 40, "slow"), at(2, 10, 20), at(2, 10, 20)),
        (at(3, 4, 8), Standing(None, None), Standing(None, None)),
        (Standing(3, None), at(3, 4, 8), at(3, 4, 8)),
        (None, at(3, 4, 8), at(3, 4, 8)),
    ],
)
def test_steady_returns_the_standing_to_show(shown, now, then):
    assert steady(shown, now) == then


waits = st.tuples(st.integers(1, 9), st.integers(0, 50), st.integers(0, 50)).map(
    lambda t: at(t[0], min(t[1:]), max(t[1:]))
)


@given(st.lists(waits, min_size=2, max_size=20))
def test_steady_wait_grows_only_after_a_step_back_or_as_slow(standings):
    shown = steady(None, standings[0])
    for now in standings[1:]:
        then = steady(shown, now)
        assert then.position == now.position
        assert then.wait["low"] <= then.wait["high"]
        grew = then.wait["high"] > shown.wait["high"] or then.wait["low"] > shown.wait["low"]
        assert not grew or now.position > shown.position or then.wait["reason"] == "slow"
        shown = then
