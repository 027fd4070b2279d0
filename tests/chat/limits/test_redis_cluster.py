"""Limits and the answer cache on a Redis Cluster of three nodes."""

import pytest

from chat.answer_cache import store
from chat.errors import LimitReached
from chat.limits import check
from chat.limits.reservations import reserve
from chat.limits.rules import parse
from tests.chat.active_run import active_run
from tests.support.valkey import point_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_cluster_keeps_limits_and_stored_answers(nodes, settings):
    settings.LIMITS = settings.LIMITS | {"login": "1/minute"}
    rules = parse("2/minute")
    reservations = [reserve([("s:alice", rules), ("192.0.2.1", rules)], max_wait=100) for _ in range(3)]
    assert [round(one.wait / 60) for one in reservations] == [0, 0, 1]
    reservations[1].cancel()
    check("login", "192.0.2.1")
    with pytest.raises(LimitReached):
        check("login", "192.0.2.1")

    settings.ANSWER_CACHE_SECONDS = 100
    with active_run() as ctx:
        for number in range(3):
            store.keep(str(number), store.Answer("Yes.", "scripted"), ctx=ctx, thread_id="t")
    store.count("hits")
    assert store.find("1") == (store.Answer("Yes.", "scripted"), "")
    store.forget_thread("t")
    assert store.find("1") == (None, "")
    assert store.statistics() == {"hits": 1, "misses": 0, "shared": 0, "hitRate": 1.0, "kept": 0}


def test_cluster_unavailable_limits_no_client(valkey, settings):
    settings.LIMITS = settings.LIMITS | {"login": "1/minute"}
    point_at(settings, "redis+cluster://127.0.0.1:1/0")
    for _ in range(3):
        check("login", "192.0.2.1")
    assert reserve([("s:alice", parse("1/minute"))], max_wait=0).granted
    assert store.find("1") == (None, "")
