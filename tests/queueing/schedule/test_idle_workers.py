"""An idle worker is handed the next job as it is submitted, and shares a long line, within the limits."""

import json

import pytest

from queueing.conf import QueueDef
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import ScheduleEntry
from queueing.states import State
from queueing.submit import submit
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

from .operations import claim, finish, put, token

single = QueueDef(name="test", concurrency=1)
CHANNEL = "own"


@pytest.fixture
def messages(valkey):
    """A subscription to the channels of all workers and of the idle worker, which stands for that worker."""
    with valkey.client.pubsub(ignore_subscribe_messages=True) as listening:
        listening.subscribe(CHANNEL, scripts.notify_channel())
        numsub = valkey.client.pubsub_numsub
        wait_until(lambda: listening.get_message() is None and numsub(CHANNEL)[0][1], "the subscription")
        yield listening


def become_idle(queue=single, channel=CHANNEL):
    """Claim in vain as an idle worker, and return the token."""
    new_token = token()
    assert redis_client.run(scripts.claim([queue], new_token, 100, channel=channel, idle=True)).jobs == []
    return new_token


def next_message(messages):
    """Return channel and text of the next message."""
    message = wait_until(messages.get_message, "a message")
    return message["channel"], message["data"]


def state_of(job_id):
    """Return the state of the job in the schedule."""
    return redis_client.run(scripts.positions("test", [job_id]))[0].state


def test_idle_worker_is_handed_job_without_waking_others(messages):
    idle_token = become_idle()
    (job,) = put(single, owner="alice")
    channel, text = next_message(messages)
    assert (channel, json.loads(text.removeprefix("job:"))[:3]) == (CHANNEL, [idle_token, "test", job])
    assert messages.get_message(timeout=0.1) is None
    assert state_of(job) == "active"
    assert redis_client.run(scripts.renew("test", [(job, idle_token)])) == []


def test_idle_worker_is_handed_one_job_within_concurrency(messages):
    become_idle()
    (first,) = put(single)
    become_idle()
    (second,) = put(single)
    assert [state_of(job) for job in (first, second)] == ["active", "waiting"]
    assert claim(single, 9) == {}


def test_idle_worker_that_is_gone_is_handed_nothing(messages):
    become_idle(channel="unheard")
    (job,) = put(single)
    assert next_message(messages) == (scripts.notify_channel(), "wake:test")
    assert list(claim(single)) == [job]


def test_idle_worker_that_claimed_since_is_handed_nothing(messages):
    become_idle()
    redis_client.run(scripts.claim([single], token(), 100, channel=CHANNEL, idle=False))
    (job,) = put(single)
    assert state_of(job) == "waiting"


def test_idle_worker_several_jobs_at_once_are_not_handed_over(messages):
    become_idle()
    assert {state_of(job) for job in put(single, many=3)} == {"waiting"}


def test_idle_worker_before_reconciliation_is_handed_nothing(messages, valkey):
    become_idle()
    valkey.client.delete(scripts.key("reconciled"))
    redis_client.run(scripts.submit("test", [ScheduleEntry("a" * 32, "", 5)]))
    assert state_of("a" * 32) == "waiting"


def test_idle_worker_that_found_no_room_is_woken_by_an_end_to_share_the_line(messages):
    put(single, many=3)
    running = claim(single)
    become_idle()
    finish(single, running)
    assert next_message(messages) == (scripts.notify_channel(), "wake:test")  # of the submission
    assert next_message(messages) == (CHANNEL, "wake:test")
    finish(single, claim(single))
    assert messages.get_message(timeout=0.1) is None  # it was woken, and has not claimed since


def test_idle_worker_is_not_woken_by_an_end_that_leaves_nothing_in_line(messages):
    put(single)
    assert next_message(messages) == (scripts.notify_channel(), "wake:test")
    running = claim(single)
    become_idle()
    finish(single, running)
    assert messages.get_message(timeout=0.1) is None


def test_idle_worker_of_other_queues_is_not_woken_by_an_end(messages):
    become_idle(QueueDef(name="other", concurrency=1))
    put(single, many=2)
    assert next_message(messages) == (scripts.notify_channel(), "wake:test")
    finish(single, claim(single))
    assert messages.get_message(timeout=0.1) is None


@pytest.mark.django_db(transaction=True)
def test_idle_cluster_completes_handed_jobs(qcluster, valkey):
    qcluster()
    wait_until(lambda: valkey.client.hlen(scripts.key("idle")), "the worker to be idle")
    with valkey.client.pubsub(ignore_subscribe_messages=True) as messages:
        messages.subscribe(scripts.notify_channel())
        for _ in range(3):
            job = finished(submit("test.echo", {"text": "x"}).job)
            assert (job.state, job.attempts) == (State.COMPLETED, 1)
            wait_until(lambda: valkey.client.hlen(scripts.key("idle")), "it to be idle again")
        assert [
            m for m in iter(lambda: messages.get_message(timeout=0.1), None) if m["data"] == "wake:test"
        ] == []
