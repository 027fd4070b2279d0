"""When jobs in line will start: the time that active jobs have already taken counts (K11)."""

import json
import time
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from bench import waits
from queueing.events.waits import recent_runs, standing
from queueing.events.waits.forecast import Forecast
from queueing.models import Job
from queueing.record.database_thread import in_thread
from queueing.schedule import redis_client, scripts
from queueing.states import State
from queueing.submit import submit

QUEUE = "test"


def test_jobs_that_run_longer_than_all_recent_ones_are_expected_to_run_on():
    """Five long answers run, mine is next but one, all recent ones were short; the wait is 33 s in fact."""
    start = Forecast([0.3] * 100, [7.0] * 5).start_of(1, active=5, capacity=5)
    assert 0.5 < start.low < 7 < 33 < start.high < 100
    assert Forecast([0.3] * 100, [15.0] * 5).start_of(1, active=5, capacity=5).low > 1


def test_jobs_that_are_nearly_over_are_expected_to_end_soon():
    late = Forecast([10.0] * 60, [9.5] * 5).start_of(0, active=5, capacity=5)
    fresh = Forecast([10.0] * 60, [0.1] * 5).start_of(0, active=5, capacity=5)
    assert late.high < 2 < 8 < fresh.low


def test_job_that_has_outlived_the_short_ones_is_a_long_one():
    durations = [0.3] * 40 + [30.0] * 20
    start = Forecast(durations, [5.0]).start_of(0, active=1, capacity=1)
    assert 20 < start.low <= 25 <= start.high < 30


def test_recent_run_times_count_and_old_ones_do_not():
    start = Forecast([3.0] * 60 + [300.0] * 40).start_of(0, active=1, capacity=1)
    assert 2 < start.low < 3 < start.high < 4


times = st.lists(st.floats(0, 600), min_size=1, max_size=100)


@given(times, st.lists(st.floats(0, 600), max_size=30), st.integers(0, 30), st.integers(1, 20))
def test_later_places_start_later_and_more_slots_start_earlier(durations, running, active, capacity):
    forecast = Forecast(durations, running)
    places = [
        forecast.start_of(n, active=active, capacity=capacity) for n in (0, 1, 20, 47, 48, 49, 500, 10_000)
    ]
    assert places == sorted(places)
    assert [place.high for place in places] == sorted(place.high for place in places)
    for n, place in zip((0, 1, 20, 47, 48, 49, 500, 10_000), places, strict=True):
        more = forecast.start_of(n, active=active, capacity=capacity + 1)
        assert (more.low, more.high) <= (place.low, place.high)
        assert 0 <= place.low <= place.high


#: All but the line whose jobs change all at once, which nothing could have foretold.
STEADY_LINES = [line for line in waits.LINES if line.times is not waits.long_from_now_on]


@pytest.mark.parametrize("line", STEADY_LINES, ids=lambda line: line.name)
def test_four_in_five_ranges_hold(line):
    """`python -m bench.waits` prints the figures; here are some jobs of each line, with room for chance."""
    told = [
        one
        for seed in (3, 4)
        for one in waits.simulate(line._replace(jobs=min(line.jobs, 120)), waits.present, seed)
    ]
    held = sum(one.range.low - 0.5 <= one.start <= one.range.high for one in told)
    assert held / len(told) > 0.55


# --- what is read --------------------------------------------------------------------------------


@pytest.fixture
def line(valkey, transactional_db):
    """Five active jobs that began 30 s ago, two in line, and recent runs of 0.3 s; return those in line."""
    worker = {"id": "w1", "cluster": "c1", "at": time.time() + 60}
    valkey.client.hset(scripts.key("workers"), "w1", json.dumps(worker))
    valkey.client.rpush(scripts.queue_key(QUEUE, "durations"), *[300] * 50)
    jobs = [submit("test.echo", {}).job for _ in range(7)]
    ids = [job.id.hex for job in jobs]
    client = valkey.client
    for job_id in ids[:5]:
        client.zrem(scripts.queue_key(QUEUE, "waiting"), job_id)
        client.zadd(scripts.queue_key(QUEUE, "active"), {job_id: (time.time() + 60) * 1000})
    began = timezone.now() - timedelta(seconds=30)
    Job.objects.filter(id__in=ids[:5]).update(state=State.ACTIVE, started_at=began)
    return ids[5:]


async def test_wait_behind_long_running_jobs_is_long(line):
    capacity = 5
    redis = redis_client.aclient()
    await redis.hset(scripts.queue_key(QUEUE, "meta"), "concurrency", capacity)
    [first, second] = await standing.standings(QUEUE, line)
    assert (first.position, second.position) == (1, 2)
    assert first.wait["high"] >= 10
    assert second.wait["low"] >= 2
    assert second.wait["high"] >= 30


async def test_recent_runs_are_read_once_a_second(line, monkeypatch):
    read = []

    def count(queue: str):
        read.append(queue)
        return original(queue)

    original = recent_runs._read
    monkeypatch.setattr(recent_runs, "_read", count)
    for _ in range(20):
        await standing.standings(QUEUE, line)
    assert len(read) == 1
    known = await recent_runs.recent_runs(QUEUE)
    known.read_at -= recent_runs._FRESH
    await standing.standings(QUEUE, line)
    assert len(read) == 2


async def test_job_that_was_claimed_but_has_not_begun_counts_as_just_started(line):
    await in_thread(Job.objects.update)(state=State.WAITING, started_at=None)
    known = await recent_runs.recent_runs(QUEUE)
    assert known.forecast.running == []
    assert known.forecast.start_of(0, active=5, capacity=5).high < 1


def test_simulated_line_is_the_same_for_the_same_seed():
    line = waits.LINES[0]._replace(jobs=40)
    assert waits.simulate(line, waits.present, 1) == waits.simulate(line, waits.present, 1)
    assert waits.lognormal(4, 0.5)(Random(1), 0) > 0
