"""When the next message may start: properties of the line."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chat.limits import store
from chat.limits.reservations import reserve
from chat.limits.rules import parse
from tests.support.valkey import Valkey

from .asking import ALICE, BOB, HOME, turns_of

pytestmark = pytest.mark.django_db(transaction=True)


def assert_kept(who, rules):
    for item in rules:
        times = turns_of(who).get(item.key_for(), [])
        for earlier, later in zip(times, times[item.amount :], strict=False):
            assert later - earlier >= item.get_expiry() - 0.0005, f"more than {item} at {later}"


def test_no_window_holds_one_too_many_with_two_web_processes(valkey: Valkey, monkeypatch):
    rules = parse("5 per 3 seconds;20 per 30 seconds")
    processes = [store._connect.__wrapped__(valkey.url) for _ in range(2)]
    mine = itertools.cycle(processes)
    monkeypatch.setattr(store, "_storage", lambda url: next(mine))

    with ThreadPoolExecutor(16) as pool:
        turns = list(pool.map(lambda _: reserve([(ALICE, rules)], most_wait=40), range(60)))
    granted = [turn for turn in turns if turn.granted]
    assert_kept(ALICE, rules)
    assert len({turn.entry for turn in granted}) == len(granted) == len(turns_of(ALICE)[rules[0].key_for()])
    assert len(granted) == 40, "20 in the first half minute, 20 in the second, and not one less"
    assert sum(turn.wait == 0 for turn in granted) == 5


acts = st.lists(
    st.tuples(st.sampled_from(["alice", "bob"]), st.integers(0, 90), st.booleans()), min_size=1, max_size=25
)


@given(acts)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_limits_hold_whoever_asks_and_takes_back_in_whatever_order(valkey, acts):
    valkey.client.flushall()
    own, shared = parse("3 per 10 seconds;5/minute"), parse("4 per 20 seconds")
    given_out = []
    for who, most_wait, takes_back in acts:
        turn = reserve([(who, own), (HOME, shared)], most_wait=most_wait)
        assert turn.wait <= most_wait or not turn.granted
        if turn.granted:
            given_out.append(turn)
            latest = valkey.client.zrange(turn.keys[0], -1, -1, withscores=True)[0][1]
            at = valkey.client.zscore(turn.keys[0], turn.entry)
            assert at == latest, "one's own go on in the order they came"
        if takes_back and given_out:
            given_out.pop(len(given_out) // 2).give_back()
    for who, rules in (("alice", own), ("bob", own), (HOME, shared)):
        assert_kept(who, rules)


def test_who_comes_after_ones_own_comes_after_them_even_when_earlier_turns_were_given_back(valkey):
    rules = parse("3 per 10 seconds")
    turns = [reserve([(ALICE, rules), (HOME, rules)], most_wait=60) for _ in range(4)]
    for turn in turns[:3]:
        turn.give_back()
    assert reserve([(ALICE, rules), (HOME, rules)], most_wait=60).wait >= 9
    assert reserve([(BOB, rules), (HOME, rules)], most_wait=60).wait == 0, "strangers need not"


def test_nothing_of_it_stays_in_redis_for_longer_than_it_counts(valkey):
    for _ in range(3):
        reserve([(ALICE, parse("2/minute")), (HOME, parse("9/hour"))], most_wait=60)
    ttls = {key: valkey.client.ttl(key) for key in valkey.client.scan_iter("*turns*")}
    assert all(0 < ttl <= 3660 for ttl in ttls.values()), ttls
    assert len(ttls) == 2
