"""Limits that are changed while the queues run apply to each later claim, also after a loss of Redis."""

import pytest
from django.db import connection

from queueing.conf import Limiter, QueueDef, get_conf, get_queue
from queueing.control import audited, verbs
from queueing.events.waits import standing
from queueing.events.waits.forecast import Forecast
from queueing.limits import live_limits
from queueing.models import Job, LimitOverride
from queueing.monitoring import overview
from queueing.record.database_thread import DatabaseThread
from queueing.recovery.reconcile import reconcile
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit_many
from tests.queueing.schedule.operations import claim, finish, put, token
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

TEST = "test"


@pytest.fixture
def queue() -> QueueDef:
    """Return the queue of the settings: concurrency 50."""
    return get_queue(TEST)


@pytest.fixture
def database():
    thread = DatabaseThread()
    yield thread
    thread.close()
    connection.close()


def set_limits(**limits) -> None:
    audited.set_limits(TEST, actor="carol", **limits)


def during_next_sync(monkeypatch, action) -> None:
    """Run `action` once, between the next read of the database and the write to Redis."""
    look = live_limits.recorded_overrides

    def read_slowly():
        monkeypatch.setattr(live_limits, "recorded_overrides", look)
        seen = look()
        action()
        return seen

    monkeypatch.setattr(live_limits, "recorded_overrides", read_slowly)


def active() -> int:
    return Job.objects.filter(queue=TEST, state=State.ACTIVE).count()


def test_lowered_concurrency_applies_to_next_claim(queue):
    put(queue, many=20)
    running = claim(queue, 5)
    set_limits(concurrency=3)
    assert claim(queue, 5) == {}
    finish(queue, running)
    assert len(claim(queue, 5)) == 3
    audited.clear_limits(TEST, actor="carol")
    assert len(claim(queue, 100)) == 12


def test_global_concurrency_applies_to_all_clusters(queue):
    set_limits(global_concurrency=4)
    put(queue, many=10)
    assert len(claim(queue, 3, "c1")) == 3
    assert len(claim(queue, 3, "c2")) == 1
    assert claim(queue, 3, "c3") == {}


def test_limiter_set_and_removed_applies_to_next_claim(queue):
    put(queue, many=10)
    set_limits(limiter=(2, 60))
    assert len(claim(queue, 10)) == 2
    assert claim(queue, 10) == {}
    set_limits(limiter=None)
    assert len(claim(queue, 10)) == 8


def test_limiter_of_settings_can_be_removed_and_reset():
    limited = get_queue("test-limited")
    put(limited, many=9)
    assert len(claim(limited, 9)) == 2
    audited.set_limits("test-limited", actor="carol", limiter=None)
    assert len(claim(limited, 3)) == 3
    audited.clear_limits("test-limited", actor="carol")
    assert claim(limited, 9) == {}, "the two of before still count"


def test_parked_owners_return_when_owner_concurrency_is_raised(queue):
    set_limits(owner_concurrency=1)
    put(queue, owner="alice", many=2500)
    put(queue, owner="bob", many=2)
    assert len(claim(queue, 10)) == 2, "one of each"
    assert claim(queue, 10) == {}
    set_limits(owner_concurrency=3)
    assert len(claim(queue, 10)) == 3, "two more of Alice's, one more of Bob's"
    set_limits(owner_concurrency=0)
    assert len(claim(queue, 50)) == 45


def test_promise_to_idle_worker_respects_new_limit(queue, valkey):
    mine = token()
    with valkey.client.pubsub() as ear:
        ear.subscribe("own")
        wait_until(lambda: valkey.client.pubsub_numsub("own")[0][1], "the ear")
        redis_client.run(scripts.claim([queue], mine, 100, channel="own", idle=True))
        set_limits(concurrency=1)
        claim_of_another = put(queue)
        assert redis_client.run(scripts.positions(TEST, claim_of_another))[0].state == "active"
        redis_client.run(scripts.claim([queue], token(), 100, channel="own", idle=True))
        waits = put(queue)
        assert redis_client.run(scripts.positions(TEST, waits))[0].state == "waiting"


def test_running_cluster_respects_lowered_and_raised_concurrency(qcluster):
    qcluster(TEST_SLOTS="0")
    set_limits(concurrency=2)
    submit_many("test.sleep", [{"seconds": 600}] * 90)
    wait_until(lambda: active() == 2, "two to run")
    set_limits(concurrency=85)
    wait_until(lambda: active() == 85, "more than the settings' 50 and than its slots")
    verbs.pause(TEST)
    assert audited.drain(TEST, actor="carol") == 5


async def test_limits_are_restored_before_first_claim_from_empty_redis(queue, valkey, database):
    await database.run_sync(lambda: set_limits(concurrency=2, limiter=(1, 60)))
    await database.run_sync(verbs.pause, "test-narrow")
    valkey.client.flushall()
    await reconcile("c1/w", database)
    put_and_claimed = await database.run_sync(lambda: (put(queue, many=5), claim(queue, 5))[1])
    assert len(put_and_claimed) == 1
    assert valkey.client.hget(scripts.queue_key("test-narrow", "meta"), "paused") == "1"
    await redis_client.aclose()


async def test_change_while_redis_is_unavailable_applies_after_reconcile(queue, valkey, database, caplog):
    valkey.stop()
    await database.run_sync(lambda: set_limits(concurrency=2))
    await database.run_sync(verbs.pause, "test-narrow")
    assert "apply when it is available again" in caplog.text
    valkey.start()
    await reconcile("c1/w", database)
    claimed = await database.run_sync(lambda: (put(queue, many=5), claim(queue, 5))[1])
    assert len(claimed) == 2
    assert valkey.client.hget(scripts.queue_key("test-narrow", "meta"), "paused") == "1"
    await redis_client.aclose()


async def test_wrong_limits_in_redis_are_corrected_by_reconcile(queue, valkey, database):
    await database.run_sync(lambda: set_limits(concurrency=2))
    valkey.client.hset(scripts.queue_key(TEST, "meta"), mapping={"concurrency": 9, "limiter_max": 1})
    await reconcile("c1/w", database)
    meta = valkey.client.hgetall(scripts.queue_key(TEST, "meta"))
    assert (meta["concurrency"], "limiter_max" in meta) == ("2", False)
    await redis_client.aclose()


async def test_sync_with_older_snapshot_does_not_undo_pause(database, monkeypatch):
    during_next_sync(monkeypatch, lambda: verbs.pause(TEST))
    await live_limits.sync_all_queues(database)
    assert (await redis_client.arun(scripts.counts(TEST))).paused
    await redis_client.aclose()


def test_concurrent_changes_leave_the_latest_in_redis(monkeypatch):
    during_next_sync(monkeypatch, lambda: verbs.resume(TEST))
    verbs.pause(TEST)
    assert not redis_client.run(scripts.counts(TEST)).paused
    during_next_sync(monkeypatch, lambda: set_limits(concurrency=7))
    set_limits(concurrency=3)
    assert redis_client.run(scripts.counts(TEST)).under(get_queue(TEST)).concurrency == 7


async def test_changed_limits_appear_in_overview_and_estimate(queue, database):
    await database.run_sync(lambda: set_limits(concurrency=2, global_concurrency=3, limiter=(4, 30)))
    told = next(q for q in (await overview.queue_overview())["queues"] if q["name"] == TEST)
    assert (told["concurrency"], told["globalConcurrency"], told["ownerConcurrency"]) == (2, 3, 0)
    assert told["limiter"] == {"max": 4, "duration": 30.0, "used": 0}
    assert told["overridden"] == ["concurrency", "global_concurrency", "limiter"]
    counts = await redis_client.arun(scripts.counts(TEST))
    assert counts.under(queue).limiter == Limiter(4, 30)
    estimated = standing.estimate(queue, counts, Forecast([10.0] * 60), 1, ahead=3)
    assert 8 < estimated.low <= 10 <= estimated.high < 13, "behind two at once, not fifty"
    await redis_client.aclose()


def test_override_of_unknown_queue_or_name_is_ignored():
    LimitOverride.objects.create(queue="gone", name="concurrency", value=3)
    LimitOverride.objects.create(queue=TEST, name="once_a_limit", value=3)
    assert live_limits.effective(TEST) == get_queue(TEST)
    assert set(live_limits.recorded_overrides()) == set(get_conf().queues)
    live_limits.sync_queue(TEST)
