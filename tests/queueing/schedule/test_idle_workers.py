"""An idle worker is handed the next job as it is submitted, and shares a long line, within the limits."""

import json
import time

import pytest

from queueing.conf import QueueDef
from queueing.control.verbs import cancel
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


def become_idle(queue=single, channel=CHANNEL, slots=100, busy=False, cluster="c1"):
    """Claim in vain as a worker with free slots, and return the token."""
    new_token = token(cluster)
    claim = scripts.claim([queue], new_token, slots, channel=channel, idle=True, busy=busy)
    assert redis_client.run(claim).jobs == []
    return new_token


def next_message(messages):
    """Return channel and text of the next message."""
    message = wait_until(messages.get_message, "a message")
    return message["channel"], message["data"]


def all_messages(messages):
    """Return the texts of all messages that were sent until now, by channel."""
    found = {CHANNEL: [], scripts.notify_channel(): []}
    redis_client.client().publish(CHANNEL, "end")
    while (message := next_message(messages)) != (CHANNEL, "end"):
        found[message[0]].append(message[1])
    return found


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


def test_worker_with_claims_and_free_slots_is_handed_a_job_without_waking_others(messages):
    """A busy site hands each message to one worker. It does not wake all of them."""
    several = QueueDef(name="test", concurrency=10)
    put(several, many=2)
    mine = scripts.claim([several], token(), 4, channel=CHANNEL, idle=True)
    assert len(redis_client.run(mine).jobs) == 2
    assert all_messages(messages)[scripts.notify_channel()] == ["wake:test"]  # of several jobs at once
    (job,) = put(several)
    assert state_of(job) == "active"
    found = all_messages(messages)
    assert json.loads(found[CHANNEL][0].removeprefix("job:"))[2] == job
    assert found[scripts.notify_channel()] == []


def test_worker_that_was_handed_a_job_gets_the_next_one_only_after_a_claim(messages):
    """A worker whose host has vanished receives no more than one job."""
    several = QueueDef(name="test", concurrency=10)
    become_idle(several)
    assert [state_of(put(several)[0]) for _ in range(2)] == ["active", "waiting"]


def test_worker_without_free_slots_is_handed_nothing(messages):
    several = QueueDef(name="test", concurrency=10)
    put(several, many=2)
    redis_client.run(scripts.claim([several], token(), 2, channel=CHANNEL, idle=True))
    (job,) = put(several)
    assert state_of(job) == "waiting"


def test_jobs_behind_one_that_must_wait_wake_the_workers_rarely(messages):
    """In a full site no worker can start a new job, and each has free slots for other queues."""
    put(single, many=2)
    claim(single)
    assert all_messages(messages)[scripts.notify_channel()] == ["wake:test"]
    began = time.monotonic()
    for _ in range(20):
        put(single)
    most = 1 + (time.monotonic() - began) / 0.1
    assert 1 <= len(all_messages(messages)[scripts.notify_channel()]) <= most


def test_worker_of_a_full_cluster_with_claims_of_its_own_is_not_listed(messages):
    put(single, many=2)
    running = claim(single)
    become_idle(busy=True)
    finish(single, running)
    assert all_messages(messages)[CHANNEL] == []


def test_job_is_handed_to_the_one_of_many_workers_that_may_run_it(messages):
    for n in range(20):
        full = f"full{n}"
        put(single)
        claim(single, cluster=full)
        redis_client.run(scripts.claim([single], token(full), 5, channel=full, idle=True, busy=True))
    become_idle(cluster="free")
    (job,) = put(single)
    assert state_of(job) == "active"


def test_delayed_job_wakes_the_workers_only_if_it_is_the_next_one(messages):
    for delay, woken in ((60, 1), (30, 1), (90, 0)):
        put(single, delay=delay)
        assert len(all_messages(messages)[scripts.notify_channel()]) == woken


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


@pytest.mark.django_db(transaction=True)
def test_cluster_that_runs_a_job_is_handed_the_next_one(qcluster, valkey):
    qcluster()
    idle = scripts.key("idle")
    wait_until(lambda: valkey.client.hlen(idle), "the worker to be listed")
    long = submit("test.sleep", {"seconds": 60}).job
    wait_until(
        lambda: state_of(long.id.hex) == "active" and valkey.client.hlen(idle), "it to be listed again"
    )
    with valkey.client.pubsub(ignore_subscribe_messages=True) as messages:
        messages.subscribe(CHANNEL, scripts.notify_channel())
        assert finished(submit("test.echo", {"text": "x"}).job).state == State.COMPLETED
        assert all_messages(messages)[scripts.notify_channel()] == []
    cancel(long.id)
