"""A worker that stands idle is handed the next job as it is submitted, if it may have it."""

import json

import pytest

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import ScheduleEntry
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

from .moves import claim, put, token

one_at_a_time = QueueDef(name="test", concurrency=1)
CHANNEL = "own"


@pytest.fixture
def ear(valkey):
    """What the bell and the worker's own channel say; the worker hears as long as this does."""
    with valkey.client.pubsub(ignore_subscribe_messages=True) as listening:
        listening.subscribe(CHANNEL, scripts.notify_channel())
        numsub = valkey.client.pubsub_numsub
        wait_until(lambda: listening.get_message() is None and numsub(CHANNEL)[0][1], "it")
        yield listening


def stand_idle(queue=one_at_a_time, channel=CHANNEL):
    """A claim that finds nothing; its token."""
    mine = token()
    assert redis_client.run(scripts.claim([queue], mine, 100, channel=channel, idle=True)).jobs == []
    return mine


def said(ear):
    """Channel and text of the next message."""
    message = wait_until(ear.get_message, "a message")
    return message["channel"], message["data"]


def state_of(job_id):
    """Where the schedule has the job."""
    return redis_client.run(scripts.positions("test", [job_id]))[0].state


def test_it_hears_what_it_is_handed_and_nobody_else_is_woken(ear):
    mine = stand_idle()
    (job,) = put(one_at_a_time, owner="alice")
    channel, text = said(ear)
    assert (channel, json.loads(text.removeprefix("job:"))[:3]) == (CHANNEL, [mine, "test", job])
    assert ear.get_message(timeout=0.1) is None
    assert state_of(job) == "active"
    assert redis_client.run(scripts.renew("test", [(job, mine)])) == []


def test_it_is_handed_one_job_and_no_more_than_the_queue_may_run(ear):
    stand_idle()
    (first,) = put(one_at_a_time)
    stand_idle()
    (second,) = put(one_at_a_time)
    assert [state_of(job) for job in (first, second)] == ["active", "waiting"]
    assert claim(one_at_a_time, 9) == {}


def test_a_worker_that_is_gone_is_handed_nothing(ear):
    stand_idle(channel="nobody")
    (job,) = put(one_at_a_time)
    assert said(ear) == (scripts.notify_channel(), "wake:test")
    assert list(claim(one_at_a_time)) == [job]


def test_a_worker_that_has_claimed_since_is_handed_nothing(ear):
    stand_idle()
    redis_client.run(scripts.claim([one_at_a_time], token(), 100, channel=CHANNEL, idle=False))
    (job,) = put(one_at_a_time)
    assert state_of(job) == "waiting"


def test_of_several_jobs_at_once_none_is_handed_over(ear):
    stand_idle()
    assert {state_of(job) for job in put(one_at_a_time, many=3)} == {"waiting"}


def test_nothing_is_handed_over_before_redis_was_told_what_runs(ear, valkey):
    stand_idle()
    valkey.client.delete(scripts.key("reconciled"))
    redis_client.run(scripts.submit("test", [ScheduleEntry("a" * 32, "", 5)]))
    assert state_of("a" * 32) == "waiting"


@pytest.mark.django_db(transaction=True)
def test_an_idle_cluster_does_what_it_is_handed(qcluster, valkey):
    qcluster()
    wait_until(lambda: valkey.client.hlen(scripts.key("idle")), "the worker to stand idle")
    with valkey.client.pubsub(ignore_subscribe_messages=True) as ear:
        ear.subscribe(scripts.notify_channel())
        for _ in range(3):
            job = finished(submit("test.echo", {"text": "x"}).job)
            assert (job.state, job.attempts) == (State.COMPLETED, 1)
            wait_until(lambda: valkey.client.hlen(scripts.key("idle")), "it to be idle again")
        assert [m for m in iter(lambda: ear.get_message(timeout=0.1), None) if m["data"] == "wake:test"] == []
