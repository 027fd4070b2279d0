"""Messages over a limit wait their turn instead of being refused."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from chat import limits
from chat.conversations import edit, services
from chat.errors import LimitReached
from chat.models import Message
from queueing.api import Job, Rejected, State, cancel
from tests.support.valkey import point_at, wait_until

from .asking import ALICE, BOB, HOME, limit, turns_of

pytestmark = pytest.mark.django_db(transaction=True)


numbers = itertools.count()


def ask(owner=ALICE, text="Where to?", **more):
    request = {"companion": "travel", "request_id": f"r-{next(numbers)}"} | more
    return services.ask(owner=owner, text=text, **request)


def delay(asked):
    """Seconds the job was held, as it was accepted."""
    job = asked.job
    return (job.run_at - job.created_at).total_seconds() if job.run_at else 0.0


def test_who_asks_much_is_held_and_goes_on_when_it_was_told(settings, workers):
    limit(settings, anonymous="2 per 4 seconds")
    asked = [ask() for _ in range(4)]
    assert [one.job.state for one in asked] == [State.WAITING] * 2 + [State.DELAYED] * 2
    assert [one.job.meta.get("delayReason") for one in asked[1:3]] == [None, "rate_limit"]
    turns = turns_of(ALICE)["LIMITER/2/4/second"]
    assert turns[2] - turns[0] >= 4
    due = [one.job.run_at or one.job.created_at for one in asked]
    started = [wait_until(lambda one=one: over(one), "the answer").started_at for one in asked]
    assert all(moment.timestamp() >= turn - 0.01 for moment, turn in zip(due, turns, strict=True))
    assert all(-0.01 <= (at - told).total_seconds() < 5 for at, told in zip(started, due, strict=True))
    assert due == sorted(due)


def over(asked):
    return Job.objects.filter(pk=asked.job.pk, state=State.COMPLETED).first()


def test_beyond_the_bound_it_is_refused_with_the_time_and_nothing_is_stored(settings, valkey):
    limit(settings, most_wait=30, anonymous="1/minute;3/hour")
    ask()
    with pytest.raises(LimitReached) as refused:
        ask()
    assert refused.value.code == "rate_limited"
    assert 29 <= refused.value.retry_after <= 30, "then it would be taken, and held for the rest"
    assert (Job.objects.count(), Message.objects.count()) == (1, 2)
    with pytest.raises(LimitReached):
        ask()  # being refused does not put it off any further
    assert len(turns_of(ALICE)["LIMITER/1/1/minute"]) == 1


def test_repeating_a_request_costs_nothing(settings, valkey):
    limit(settings, most_wait=0, anonymous="2/minute")
    first = ask(request_id="again")
    for _ in range(5):
        assert ask(request_id="again").job == first.job
    ask()
    with pytest.raises(LimitReached):
        ask()
    assert ask(request_id="again").job == first.job


def test_the_same_request_at_the_same_moment_costs_once(settings, valkey):
    limit(settings, anonymous="10/minute")

    def one(_):
        try:
            return ask(request_id="again").job
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(8)))) == 1
    assert len(turns_of(ALICE)["LIMITER/10/1/minute"]) == 1


def test_what_is_not_accepted_in_the_end_costs_nothing(settings, valkey):
    limit(settings, anonymous="10/minute")
    queues = settings.QUEUEING["QUEUES"]
    full = queues | {"openai-chat": queues["openai-chat"] | {"soft_limit": 1, "hard_limit": 1}}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": full}
    ask(owner=BOB)
    with pytest.raises(Rejected) as refused:
        ask()
    assert refused.value.code == "queue_full"
    assert turns_of(ALICE) == {}


def test_an_address_is_limited_whoever_it_says_it_is_and_a_user_for_themselves(settings, valkey):
    limit(settings, most_wait=0, anonymous="1/minute", user="2/minute", address="4/minute")
    ask(owner="s:1", address=HOME)
    with pytest.raises(LimitReached):
        ask(owner="s:1", address="192.0.2.2")
    for _ in range(2):
        ask(owner="u:1", address=HOME)
    ask(owner="s:2", address=HOME)
    with pytest.raises(LimitReached):
        ask(owner="s:3", address=HOME)
    ask(owner="s:3", address="192.0.2.2")
    ask(owner="s:4")  # nobody knows from where


def test_without_redis_everything_is_accepted(settings, valkey):
    limit(settings, most_wait=0, anonymous="1/minute", address="1/minute", requests="1/minute")
    point_at(settings, "redis://127.0.0.1:1/0")
    for _ in range(3):
        assert delay(ask(address=HOME)) == 0
        limits.check("requests", HOME)


def test_changing_what_waits_costs_nothing_and_asking_anew_does(settings, valkey):
    limit(settings, most_wait=0, anonymous="2/minute")
    asked = ask()
    for number in range(3):
        edit.edit(owner=ALICE, message_id=asked.message_id, text=f"Change {number}")
    cancel(asked.job.pk)
    edit.edit(owner=ALICE, message_id=asked.message_id, text="Anew", request_id="anew")
    with pytest.raises(LimitReached):
        services.retry(owner=ALICE, job_id=asked.job.pk)
