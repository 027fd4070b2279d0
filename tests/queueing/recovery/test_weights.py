"""Weights hold after Redis lost them, or could not be reached."""

import pytest

from queueing.api import set_weight
from queueing.schedule import scripts
from tests.support.valkey import point_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def in_redis(valkey):
    """Call it for the weights in Redis, and whether all queues are marked."""

    def read() -> dict[str, str]:
        found = valkey.client.hgetall(scripts.key(scripts.WEIGHTS))
        found.pop("", None)
        marked = valkey.client.hexists(scripts.queue_key("test", "meta"), "weighted")
        assert marked or not found
        return found

    return read


@pytest.mark.parametrize("lost", ["all", "weights", "mark", "late writer"])
def test_weights_hold_after_redis_lost_them(valkey, in_redis, reconcile_once, lost):
    set_weight("u:7", 3)
    set_weight("n:1", 2, share=True)
    reconcile_once()
    client = valkey.client
    if lost == "all":
        client.flushall()
    elif lost == "weights":
        client.delete(scripts.key(scripts.WEIGHTS))
    elif lost == "mark":
        client.hdel(scripts.queue_key("test", "meta"), "weighted")
    else:
        client.hset(scripts.key(scripts.WEIGHTS), mapping={"u:7": 9, "u:8": 4})
    client.delete(scripts.key("checked"))  # a full check is due
    reconcile_once()
    assert in_redis() == {"u:7": "3", "\x1en:1": "2"}


def test_weight_set_without_redis_applies_later(valkey, in_redis, reconcile_once, settings):
    reconcile_once()
    url = settings.QUEUEING["REDIS_URL"]
    point_at(settings, "redis://127.0.0.1:1/0")
    set_weight("u:7", 3)
    point_at(settings, url)
    assert in_redis() == {}
    valkey.client.delete(scripts.key("checked"))
    reconcile_once()
    assert in_redis() == {"u:7": "3"}


def test_reconcile_without_weights_writes_none(valkey, reconcile_once):
    reconcile_once()
    assert not valkey.client.exists(scripts.key(scripts.WEIGHTS))
