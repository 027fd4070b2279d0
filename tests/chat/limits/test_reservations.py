"""Reservations: properties of the times at which messages start."""

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

from .rate_limits import ALICE, BOB, HOME, reserved_times

pytestmark = pytest.mark.django_db(transaction=True)


def assert_limits_kept(sender, rules):
    for item in rules:
        times = reserved_times(sender).get(item.key_for(), [])
        for earlier, later in zip(times, times[item.amount :], strict=False):
            assert later - earlier >= item.get_expiry() - 0.0005, f"more than {item} at {later}"


def test_reserve_from_two_processes_never_exceeds_the_limit(valkey: Valkey, monkeypatch):
    rules = parse("5 per 3 seconds;20 per 30 seconds")
    processes = [store._connect.__wrapped__(valkey.url) for _ in range(2)]
    connections = itertools.cycle(processes)
    monkeypatch.setattr(store, "_connect", lambda url: next(connections))

    with ThreadPoolExecutor(16) as pool:
        reservations = list(pool.map(lambda _: reserve([(ALICE, rules)], max_wait=40), range(60)))
    granted = [reservation for reservation in reservations if reservation.granted]
    assert_limits_kept(ALICE, rules)
    assert (
        len({reservation.entries[0] for reservation in granted})
        == len(granted)
        == len(reserved_times(ALICE)[rules[0].key_for()])
    )
    assert len(granted) == 40, "20 in the first half minute, 20 in the second, and not one less"
    assert sum(reservation.wait == 0 for reservation in granted) == 5


actions = st.lists(
    st.tuples(st.sampled_from(["alice", "bob"]), st.integers(0, 90), st.booleans()), min_size=1, max_size=25
)


@given(actions)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_reserve_and_cancel_in_any_order_keep_the_limits(valkey, settings, actions):
    settings.LIMIT_MAX_WAIT = 90  # the longest wait of the actions
    valkey.client.flushall()
    own, shared = parse("3 per 10 seconds;5/minute"), parse("4 per 20 seconds")
    active = []
    for sender, max_wait, cancels in actions:
        reservation = reserve([(sender, own), (HOME, shared)], max_wait=max_wait)
        assert reservation.wait <= max_wait or not reservation.granted
        if reservation.granted:
            active.append(reservation)
            latest = valkey.client.zrange(next(iter(reservation.keys)), -1, -1, withscores=True)[0][1]
            at = valkey.client.zscore(next(iter(reservation.keys)), reservation.entries[0])
            assert at == latest, "the messages of a sender start in their order"
        if cancels and active:
            active.pop(len(active) // 2).cancel()
    for sender, rules in (("alice", own), ("bob", own), (HOME, shared)):
        assert_limits_kept(sender, rules)


def test_reserve_after_cancelled_ones_stays_after_the_remaining_ones(valkey):
    rules = parse("3 per 10 seconds")
    reservations = [reserve([(ALICE, rules), (HOME, rules)], max_wait=60) for _ in range(4)]
    for reservation in reservations[:3]:
        reservation.cancel()
    assert reserve([(ALICE, rules), (HOME, rules)], max_wait=60).wait >= 9
    assert reserve([(BOB, rules), (HOME, rules)], max_wait=60).wait == 0, "other senders are not affected"


def test_reservations_expire_in_redis_with_their_window(valkey):
    for _ in range(3):
        reserve([(ALICE, parse("2/minute")), (HOME, parse("9/hour"))], max_wait=60)
    ttls = {key: valkey.client.ttl(key) for key in valkey.client.scan_iter("*reservations*")}
    assert all(0 < ttl <= 3660 for ttl in ttls.values()), ttls
    assert len(ttls) == 2


def test_reserve_after_clock_set_back_does_not_wait_for_the_old_time(valkey):
    """E11: the reserved times lie an hour ahead. They count as reserved now."""
    rules = parse("2 per 10 seconds")
    for _ in range(2):
        assert reserve([(ALICE, rules)], max_wait=60).wait == 0
    [key] = valkey.client.keys("{buddy}:reservations:*")
    for entry in valkey.client.zrange(key, 0, -1):
        valkey.client.zincrby(key, 3_600_000, entry)
    later = reserve([(ALICE, rules)], max_wait=60)
    assert later.granted
    assert 9 < later.wait <= 10
