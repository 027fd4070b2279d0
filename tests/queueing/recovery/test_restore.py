"""A Redis that lost its data: nothing is lost, and limits hold."""

import time

import pytest

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.record import attempts
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Claimed
from queueing.submit import submit

narrow = "test-narrow"


@pytest.mark.django_db(transaction=True)
def test_restore_active_jobs_before_waiting_ones(valkey, no_settle_time, reconcile_once, monkeypatch):
    """A worker that claims as soon as it is notified must not exceed the queue's concurrency (2)."""
    running = [submit("test.narrow", {}).job for _ in range(2)]
    submit("test.narrow", {})
    attempts.begin([Claimed(job.id.hex, narrow, 0.0) for job in running], "c1/w/1")
    valkey.client.flushall()
    claimed = []
    arun = redis_client.arun

    async def run_and_claim(call):
        reply = await arun(call)
        claimed.extend((await arun(scripts.claim([get_queue(narrow)], "c1/w/2", 5))).jobs)
        return reply

    monkeypatch.setattr(redis_client, "arun", run_and_claim)
    reconcile_once()
    assert claimed == []


@pytest.mark.django_db(transaction=True)
def test_claim_after_redis_data_lost_claims_nothing_before_restore(valkey):
    """A job is submitted before a round of reconciliation; two jobs are active, and two is the maximum."""
    running = [submit("test.narrow", {}).job for _ in range(2)]
    attempts.begin([Claimed(job.id.hex, narrow, 0.0) for job in running], "c1/w/1")
    valkey.client.flushall()
    submit("test.narrow", {})
    assert redis_client.run(scripts.claim([get_queue(narrow)], "c1/w/2", 5)).jobs == []


@pytest.mark.django_db(transaction=True)
def test_restore_keeps_limits_by_key(valkey, no_settle_time, reconcile_once):
    """Two jobs of the site are active on record, and two is the maximum."""
    jobs = [submit("test.crawl", {"site": "x.org"}).job for _ in range(4)]
    claims = redis_client.run(scripts.claim([get_queue("test")], "c1/w/1", 9)).jobs
    attempts.begin(claims, "c1/w/1")
    assert len(claims) == 2
    valkey.client.flushall()
    assert reconcile_once() == len(jobs)
    assert redis_client.run(scripts.claim([get_queue("test")], "c1/w/2", 9)).jobs == []


@pytest.mark.django_db(transaction=True)
def test_restore_keeps_limiter_window(valkey, no_settle_time, reconcile_once):
    """Two jobs have just started, on record; two is the maximum of a window."""
    queue = get_queue("test-limited")
    jobs = [submit("test.limited", {}).job for _ in range(4)]
    claims = redis_client.run(scripts.claim([queue], "c1/w/1", 9)).jobs
    attempts.begin(claims, "c1/w/1")
    assert len(claims) == 2
    valkey.client.flushall()
    assert reconcile_once() == len(jobs)
    assert redis_client.run(scripts.claim([queue], "c1/w/2", 9)).jobs == []


@pytest.mark.django_db(transaction=True)
def test_restore_keeps_queue_paused(valkey, no_settle_time, reconcile_once):
    verbs.pause("test")
    submit("test.noop", {})
    valkey.client.flushall()
    reconcile_once()
    assert redis_client.run(scripts.counts("test")).paused


def test_counts_starts_outside_window_are_ignored(valkey):
    """The list of starts is not trimmed while no job waits."""
    old = (time.time() - 600) * 1000
    valkey.client.zadd(scripts.queue_key("test-limited", "limiter_starts"), {"long ago": old})
    assert (
        redis_client.run(
            scripts.counts("test-limited", limiter=get_queue("test-limited").limiter)
        ).limiter_starts
        == 0
    )
