"""Limits that depend on time: the limiter's window, cooldowns and leases, also when a clock jumps.

The tests move the times in Redis into the past instead of waiting.
"""

import json
import time

import pytest

from queueing.conf import Limiter, QueueDef
from queueing.control import verbs
from queueing.schedule import presence, redis_client, scripts
from queueing.schedule.replies import LIMITER_MARGIN_MS
from queueing.schedule.scripts import queue_key
from tests.support.valkey import wait_until

from .operations import claim, claim_reply, ended_leases, finish, put, run_all

pytestmark = pytest.mark.usefixtures("valkey")

limited = QueueDef(name="test", concurrency=50, limiter=Limiter(max=2, duration=60))
wide = QueueDef(name="test", concurrency=10)
WINDOW = 60 + LIMITER_MARGIN_MS / 1000


def pass_time(seconds: float, name: str = "limiter_starts") -> None:
    """Move every score of one of the queue's sets into the past (negative: the future)."""
    for member in redis_client.client().zrange(queue_key("test", name), 0, -1):
        redis_client.client().zincrby(queue_key("test", name), -seconds * 1000, member)


def set_cooldown(ends_in: float, length: float) -> None:
    """Set a cooldown of `length` seconds that ends in `ends_in` seconds."""
    ends = round((time.time() + ends_in) * 1000)
    redis_client.client().hset(
        queue_key("test", "meta"), mapping={"cooldown": ends, "cooldown_ms": round(length * 1000)}
    )


def test_limiter_window_full_starts_nothing_more():
    put(limited, many=5)
    assert len(claim_reply(limited).jobs) == 2
    none = claim_reply(limited)
    assert none.jobs == []
    assert none.again_in == pytest.approx(WINDOW, abs=2)


def test_limiter_window_slides():
    put(limited, many=9)
    assert len(claim(limited, 1)) == 1
    pass_time(40)
    assert len(claim(limited, 9)) == 1
    pass_time(21)  # the first has left the window, the second has not
    assert claim_reply(limited, 0).jobs == []
    assert len(claim(limited, 9)) == 1
    assert claim_reply(limited).again_in == pytest.approx(WINDOW - 21, abs=2)


def test_limiter_counts_start_with_any_outcome():
    jobs = put(limited, many=4)
    claims = claim(limited, 2)
    finish(limited, {jobs[0]: claims[jobs[0]]})
    redis_client.run(scripts.release("test", [(jobs[1], claims[jobs[1]])]))
    assert claim(limited, 9) == {}


def test_count_late_start_counts_from_start_instead_of_claim():
    jobs = put(limited, many=4)
    early = claim(limited, 2)
    pass_time(WINDOW + 1)
    assert list(claim(limited, 1)) == [jobs[2]]
    start, wait = [
        redis_client.run(scripts.count_late_start(limited, job, token)) for job, token in early.items()
    ]
    assert start == 0
    assert wait == pytest.approx(WINDOW, abs=2), "it waits for the third start, and for the other late one"
    assert claim(limited, 9) == {}
    pass_time(WINDOW + 1)
    assert redis_client.run(scripts.count_late_start(limited, jobs[1], early[jobs[1]])) == 0


def test_count_late_start_without_limiter_never_waits():
    put(wide, many=3)
    claims = claim(wide, 3)
    assert [
        redis_client.run(scripts.count_late_start(wide, job, token)) for job, token in claims.items()
    ] == [0, 0, 0]


def test_limiter_several_clusters_in_real_time_holds():
    quick = QueueDef(name="test", concurrency=50, limiter=Limiter(max=3, duration=0.1))
    put(quick, many=12)
    starts: dict[str, float] = {}

    def all_started() -> bool:
        for cluster in ("c1", "c2"):
            claim(quick, 50, cluster)
            starts.update(
                redis_client.client().zrange(queue_key("test", "limiter_starts"), 0, -1, withscores=True)
            )
        return len(starts) == 12

    wait_until(all_started, "all twelve to start")
    at = sorted(starts.values())
    assert all(later - first >= 100 + LIMITER_MARGIN_MS for first, later in zip(at, at[3:], strict=False))


def test_clock_set_back_does_not_freeze_limiter():
    put(limited, many=9)
    claim(limited, 2)
    pass_time(-3600)
    again_in = claim_reply(limited).again_in
    assert again_in is not None
    assert again_in <= WINDOW + 1
    pass_time(WINDOW + 1)
    assert len(claim(limited, 9)) == 2


def test_clock_set_back_does_not_lengthen_cooldown():
    put(wide)
    set_cooldown(3600, 10)
    again_in = claim_reply(wide).again_in
    assert again_in is not None
    assert again_in <= 11


def test_clock_set_back_does_not_lengthen_delay():
    """E11: a delay of 20 s, set an hour before the clock was set back by an hour."""
    put(wide, delay=20)
    ended_leases("test")
    redis_client.client().hincrby(queue_key("test", "meta"), "clock", 3_600_000)
    pass_time(-3600, "delayed")
    assert claim_reply(wide).again_in == pytest.approx(3620, abs=1)
    put(wide, delay=30)  # after the clock was set back
    ended_leases("test")
    assert claim_reply(wide).again_in == pytest.approx(20, abs=1)
    ended_leases("test")
    pass_time(25, "delayed")
    assert len(claim(wide, 9)) == 1
    assert claim_reply(wide).again_in == pytest.approx(5, abs=1)


def test_clock_set_back_does_not_let_younger_jobs_of_another_queue_pass():
    """E11: jobs that wait longer rise, and none sinks because its time lies in the future."""
    other = QueueDef(name="test-narrow", priority=6)
    [first] = put(wide)
    owner, priority, ready = redis_client.client().hget(scripts.key("jobs"), first).split("\x1f")
    later = "\x1f".join((owner, priority, str(int(ready) + 3_600_000)))
    redis_client.client().hset(scripts.key("jobs"), first, later)
    put(other)
    assert list(claim([wide, other], 1)) == [first]


def test_clock_set_back_does_not_keep_heartbeat_of_lost_worker():
    lost = '{"at": %.3f, "id": "c/lost", "cluster": "c"}' % (time.time() + 3600)
    redis_client.client().hset(scripts.key("workers"), "c/lost", lost)
    now = redis_client.run(presence.heartbeat("c/w", {"id": "c/w"}))
    lost = json.loads(redis_client.client().hget(scripts.key("workers"), "c/lost"))
    assert lost == {"at": pytest.approx(now), "since": pytest.approx(now), "id": "c/lost", "cluster": "c"}
    silent = '{"at": %.3f, "id": "c/lost"}' % (time.time() - 61)
    redis_client.client().hset(scripts.key("workers"), "c/lost", silent)
    redis_client.run(presence.heartbeat("c/w", {"id": "c/w"}))
    assert redis_client.client().hkeys(scripts.key("workers")) == ["c/w"]


def test_clock_set_back_does_not_keep_job_of_lost_worker(settings):
    put(wide)
    claims = claim(wide)
    pass_time(-3600, "active")
    assert ended_leases("test") == {}
    pass_time(settings.QUEUEING["LEASE"] + 1, "active")
    assert ended_leases("test") == claims


def test_cooldown_active_starts_nothing():
    put(wide, many=5)
    set_cooldown(30, 30)
    nothing = claim_reply(wide)
    assert nothing.jobs == []
    assert nothing.again_in == pytest.approx(30, abs=2)
    assert redis_client.run(scripts.counts("test")).cooldown == pytest.approx(30, abs=2)


@pytest.mark.parametrize(("ago", "may"), [(0.1, 1), (5, 2), (11, 5), (19, 9), (21, 10)])
def test_cooldown_ended_concurrency_grows_step_by_step(ago, may):
    put(wide, many=20)
    set_cooldown(-ago, 20)
    assert len(claim(wide, 50)) == may


def test_cooldown_ended_active_jobs_count_in_growth():
    put(wide, many=20)
    claim(wide, 4)
    set_cooldown(-11, 20)  # half of the ten may run
    assert len(claim(wide, 50)) == 1


def test_cooldown_ended_after_long_one_growth_is_short():
    put(wide, many=20)
    set_cooldown(-31, 3600)
    assert len(claim(wide, 50)) == 10


def test_cooldown_of_one_queue_leaves_others_alone():
    other = QueueDef(name="test-narrow", concurrency=2)
    put(other)
    set_cooldown(30, 30)
    assert len(claim(other)) == 1


@pytest.mark.django_db(transaction=True)
def test_pause_starts_nothing_and_loses_nothing():
    jobs = put(wide, many=3)
    verbs.pause("test")
    verbs.pause("test")
    assert claim(wide, 9) == {}
    assert redis_client.run(scripts.counts("test")).paused
    verbs.resume("test")
    assert run_all(wide) == jobs


def test_limits_changed_live_hold_from_next_claim():
    put(wide, many=9)
    redis_client.client().hset(queue_key("test", "meta"), mapping={"concurrency": 4, "global_concurrency": 5})
    assert len(claim(wide, 50)) == 4
    assert len(claim(wide, 50, "c2")) == 1
    assert claim(wide, 50, "c3") == {}


def test_claim_delayed_job_only_replies_when_it_is_due():
    put(wide, delay=7)
    claims = claim_reply(wide)
    assert claims.jobs == []
    assert claims.again_in == pytest.approx(7, abs=1)


def test_claim_many_due_jobs_are_moved_by_several_claims():
    put(wide, many=1200, delay=60)
    pass_time(61, "delayed")
    assert claim_reply(wide).again_in == 0
    claim_reply(wide)
    claim_reply(wide)
    assert redis_client.run(scripts.counts("test")).delayed == 0


def test_claim_empty_queue_has_no_time_to_wait():
    assert claim_reply(wide).again_in is None
