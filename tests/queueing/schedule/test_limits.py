"""Limits that depend on time: the limiter's window, cooldowns, leases; and clocks that jump.

Time passes by moving what Redis noted into the past, so nothing here waits.
"""

import time

import pytest

from queueing.conf import Limiter, QueueDef
from queueing.control import verbs
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import LIMITER_MARGIN_MS, queue_key
from tests.support.valkey import wait_until

from .moves import ask, claim, finish, put, serve

pytestmark = pytest.mark.usefixtures("valkey")

limited = QueueDef(name="test", concurrency=50, limiter=Limiter(max=2, duration=60))
wide = QueueDef(name="test", concurrency=10)
WINDOW = 60 + LIMITER_MARGIN_MS / 1000


def pass_time(seconds: float, name: str = "limiter_starts") -> None:
    """Move every score of one of the queue's sets into the past (negative: the future)."""
    for member in redis_client.client().zrange(queue_key("test", name), 0, -1):
        redis_client.client().zincrby(queue_key("test", name), -seconds * 1000, member)


def set_cooldown(ends_in: float, length: float) -> None:
    """As if a cooldown of `length` had been asked for in time to end `ends_in` from now."""
    ends = round((time.time() + ends_in) * 1000)
    redis_client.client().hset(
        queue_key("test", "meta"), mapping={"cooldown": ends, "cooldown_ms": round(length * 1000)}
    )


def test_no_more_start_than_the_window_has_room_for():
    put(limited, many=5)
    assert len(ask(limited).jobs) == 2
    none = ask(limited)
    assert none.jobs == []
    assert none.again_in == pytest.approx(WINDOW, abs=2)


def test_the_window_slides():
    put(limited, many=9)
    assert len(claim(limited, 1)) == 1
    pass_time(40)
    assert len(claim(limited, 9)) == 1
    pass_time(21)  # the first has left the window, the second has not
    assert ask(limited, 0).jobs == []
    assert len(claim(limited, 9)) == 1
    assert ask(limited).again_in == pytest.approx(WINDOW - 21, abs=2)


def test_a_start_counts_for_the_limiter_however_it_ended():
    jobs = put(limited, many=4)
    claims = claim(limited, 2)
    finish(limited, {jobs[0]: claims[jobs[0]]})
    redis_client.run(scripts.release("test", [(jobs[1], claims[jobs[1]])]))
    assert claim(limited, 9) == {}


def test_a_start_that_comes_late_counts_from_when_it_comes():
    jobs = put(limited, many=4)
    early = claim(limited, 2)
    pass_time(WINDOW + 1)
    assert list(claim(limited, 1)) == [jobs[2]]
    start, wait = [
        redis_client.run(scripts.count_late_start(limited, job, token)) for job, token in early.items()
    ]
    assert start == 0
    assert wait == pytest.approx(WINDOW, abs=2), "behind the third, and the one that is late as well"
    assert claim(limited, 9) == {}
    pass_time(WINDOW + 1)
    assert redis_client.run(scripts.count_late_start(limited, jobs[1], early[jobs[1]])) == 0


def test_without_a_limiter_none_is_too_late():
    put(wide, many=3)
    claims = claim(wide, 3)
    assert [
        redis_client.run(scripts.count_late_start(wide, job, token)) for job, token in claims.items()
    ] == [0, 0, 0]


def test_the_limiter_holds_in_real_time_whoever_claims():
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


def test_a_clock_set_back_does_not_freeze_the_limiter():
    put(limited, many=9)
    claim(limited, 2)
    pass_time(-3600)
    again_in = ask(limited).again_in
    assert again_in is not None
    assert again_in <= WINDOW + 1
    pass_time(WINDOW + 1)
    assert len(claim(limited, 9)) == 2


def test_a_clock_set_back_does_not_lengthen_a_cooldown():
    put(wide)
    set_cooldown(3600, 10)
    again_in = ask(wide).again_in
    assert again_in is not None
    assert again_in <= 11


def test_a_clock_set_back_does_not_keep_a_lost_workers_job(settings):
    put(wide)
    claims = claim(wide)
    pass_time(-3600, "active")
    assert redis_client.run(scripts.expired("test")) == []
    pass_time(settings.QUEUEING["LEASE"] + 1, "active")
    assert dict(redis_client.run(scripts.expired("test"))) == claims


def test_during_a_cooldown_nothing_starts():
    put(wide, many=5)
    redis_client.run(scripts.cooldown("test", 30))
    nothing = ask(wide)
    assert nothing.jobs == []
    assert nothing.again_in == pytest.approx(30, abs=2)
    assert redis_client.run(scripts.counts("test")).cooldown == pytest.approx(30, abs=2)


def test_the_longest_cooldown_wins():
    assert redis_client.run(scripts.cooldown("test", 10)) == pytest.approx(10, abs=1)
    assert redis_client.run(scripts.cooldown("test", 3)) == pytest.approx(10, abs=1)
    assert redis_client.run(scripts.cooldown("test", 20)) == pytest.approx(20, abs=1)


@pytest.mark.parametrize(("ago", "may"), [(0.1, 1), (5, 2), (11, 5), (19, 9), (21, 10)])
def test_after_a_cooldown_the_queue_comes_back_bit_by_bit(ago, may):
    put(wide, many=20)
    set_cooldown(-ago, 20)
    assert len(claim(wide, 50)) == may


def test_the_ramp_counts_what_runs_already():
    put(wide, many=20)
    claim(wide, 4)
    set_cooldown(-11, 20)  # half of the ten may run
    assert len(claim(wide, 50)) == 1


def test_the_ramp_after_a_long_cooldown_is_short():
    put(wide, many=20)
    set_cooldown(-31, 3600)
    assert len(claim(wide, 50)) == 10


def test_a_cooldown_concerns_its_queue_alone():
    other = QueueDef(name="test-narrow", concurrency=2)
    put(other)
    redis_client.run(scripts.cooldown("test", 30))
    assert len(claim(other)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_paused_queue_starts_nothing_and_loses_nothing():
    jobs = put(wide, many=3)
    verbs.pause("test")
    verbs.pause("test")
    assert claim(wide, 9) == {}
    assert redis_client.run(scripts.counts("test")).paused
    verbs.resume("test")
    assert serve(wide) == jobs


def test_limits_changed_live_hold_from_the_next_claim():
    put(wide, many=9)
    redis_client.client().hset(queue_key("test", "meta"), mapping={"concurrency": 4, "global_concurrency": 5})
    assert len(claim(wide, 50)) == 4
    assert len(claim(wide, 50, "c2")) == 1
    assert claim(wide, 50, "c3") == {}


def test_a_delayed_job_says_when_it_will_be_due():
    put(wide, delay=7)
    claims = ask(wide)
    assert claims.jobs == []
    assert claims.again_in == pytest.approx(7, abs=1)


def test_more_jobs_come_due_at_once_than_one_claim_moves():
    put(wide, many=1200, delay=60)
    pass_time(61, "delayed")
    assert ask(wide).again_in == 0
    ask(wide)
    ask(wide)
    assert redis_client.run(scripts.counts("test")).delayed == 0


def test_with_nothing_to_do_nothing_is_waited_for():
    assert ask(wide).again_in is None
