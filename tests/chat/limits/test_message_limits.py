"""Messages over a limit are held until their reservation instead of being refused."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from chat import limits
from chat.conversations import services
from chat.errors import LimitReached
from chat.limits import in_memory
from chat.models import Message
from queueing.api import Job, Rejected, State, cancel
from tests.chat.questions import edit_question, submit_question
from tests.support.valkey import point_at, wait_until

from .rate_limits import ALICE, BOB, HOME, reserved_times, set_limits

pytestmark = pytest.mark.django_db(transaction=True)


numbers = itertools.count()


def send(owner=ALICE, text="Where to?", **more):
    request = {"companion": "travel", "request_id": f"r-{next(numbers)}"} | more
    return submit_question(owner=owner, text=text, **request)


def delay(sent):
    """Return the seconds for which the job is held."""
    job = sent.job
    return (job.run_at - job.created_at).total_seconds() if job.run_at else 0.0


def test_message_over_the_limit_is_held_and_starts_at_its_time(settings, workers):
    set_limits(settings, anonymous="2 per 4 seconds")
    sent = [send() for _ in range(4)]
    assert [one.job.state for one in sent] == [State.WAITING] * 2 + [State.DELAYED] * 2
    assert [one.job.meta.get("delayReason") for one in sent[1:3]] == [None, "rate_limit"]
    times = reserved_times(ALICE)["LIMITER/2/4/second"]
    assert times[2] - times[0] >= 4
    due = [one.job.run_at or one.job.created_at for one in sent]
    started = [wait_until(lambda one=one: completed_job(one), "the answer").started_at for one in sent]
    assert all(moment.timestamp() >= time - 0.01 for moment, time in zip(due, times, strict=True))
    assert all(-0.01 <= (at - due_at).total_seconds() < 5 for at, due_at in zip(started, due, strict=True))
    assert due == sorted(due)


def completed_job(sent):
    return Job.objects.filter(pk=sent.job.pk, state=State.COMPLETED).first()


def test_message_beyond_the_maximum_wait_is_refused_and_stores_nothing(settings, valkey):
    set_limits(settings, max_wait=30, anonymous="1/minute;3/hour")
    send()
    with pytest.raises(LimitReached) as refused:
        send()
    assert refused.value.code == "rate_limited"
    assert 29 <= refused.value.retry_after <= 30, (
        "the time after which it would be accepted and held for the rest"
    )
    assert (Job.objects.count(), Message.objects.count()) == (1, 2)
    with pytest.raises(LimitReached):
        send()  # a refused message does not add to the wait
    assert len(reserved_times(ALICE)["LIMITER/1/1/minute"]) == 1


def test_repeated_request_id_does_not_count(settings, valkey):
    set_limits(settings, max_wait=0, anonymous="2/minute")
    first = send(request_id="again")
    for _ in range(5):
        assert send(request_id="again").job == first.job
    send()
    with pytest.raises(LimitReached):
        send()
    assert send(request_id="again").job == first.job


def test_concurrent_requests_with_the_same_id_count_once(settings, valkey):
    set_limits(settings, anonymous="10/minute")

    def one(_):
        try:
            return send(request_id="again").job
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(8)))) == 1
    assert len(reserved_times(ALICE)["LIMITER/10/1/minute"]) == 1


def test_message_refused_by_a_full_queue_does_not_count(settings, valkey):
    set_limits(settings, anonymous="10/minute")
    queues = settings.QUEUEING["QUEUES"]
    full = queues | {"openai-chat": queues["openai-chat"] | {"soft_limit": 1, "hard_limit": 1}}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": full}
    send(owner=BOB)
    with pytest.raises(Rejected) as refused:
        send()
    assert refused.value.code == "queue_full"
    assert reserved_times(ALICE) == {}


def test_limits_of_address_visitor_and_user_are_separate(settings, valkey):
    set_limits(settings, max_wait=0, anonymous="1/minute", user="2/minute", address="4/minute")
    send(owner="s:1", address=HOME)
    with pytest.raises(LimitReached):
        send(owner="s:1", address="192.0.2.2")
    for _ in range(2):
        send(owner="u:1", address=HOME)
    send(owner="s:2", address=HOME)
    with pytest.raises(LimitReached):
        send(owner="s:3", address=HOME)
    send(owner="s:3", address="192.0.2.2")
    send(owner="s:4")  # its address is unknown


def test_redis_unavailable_accepts_all_messages_and_counts_requests_in_the_process(settings, valkey):
    set_limits(settings, max_wait=0, anonymous="1/minute", address="1/minute", requests="3/minute")
    in_memory.clear()
    point_at(settings, "redis://127.0.0.1:1/0")
    for _ in range(3):
        assert delay(send(address=HOME)) == 0
        limits.check("requests", HOME)
    with pytest.raises(LimitReached):
        limits.check("requests", HOME)
    limits.check("requests", "192.0.2.2")


def test_edit_of_waiting_message_does_not_count_and_sending_again_does(settings, valkey):
    set_limits(settings, max_wait=0, anonymous="2/minute")
    sent = send()
    for number in range(3):
        edit_question(sent, owner=ALICE, text=f"Change {number}")
    cancel(sent.job.pk)
    edit_question(sent, owner=ALICE, text="Again", request_id="edited")
    with pytest.raises(LimitReached):
        services.retry(owner=ALICE, job_id=sent.job.pk)
