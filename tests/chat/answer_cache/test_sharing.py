"""Whose answers are given to whom, and to many who ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from chat.answer_cache import store
from chat.conversations import services
from queueing.api import Job, State, redis
from tests.support.valkey import wait_until

from .asking import ALICE, BOB, QUESTION, again, ask, ended, reply_to

pytestmark = pytest.mark.django_db(transaction=True)


def test_nobody_gets_an_answer_that_is_not_theirs(workers):
    ended(ask(owner=ALICE, companion="corporate"))
    stranger = ask(owner=BOB, companion="corporate")
    assert not again(stranger)
    ended(stranger)
    assert len(workers.requests) == 2

    # A shared companion's first answers are everybody's, and nothing after them.
    first = ask(owner=ALICE)
    ended(first)
    ended(ask("And in Porto?", owner=ALICE, thread=first.thread_id))
    stranger = ask(owner=BOB)
    assert again(stranger)
    then = ask("And in Porto?", owner=BOB, thread=stranger.thread_id)
    assert not again(then)
    ended(then)
    assert len(workers.requests) == 5


def test_nothing_is_kept_where_somebody_may_be_in_need(workers):
    for companion, text in [("emotional", QUESTION), ("culture", f"I want to kill myself. {QUESTION}")] * 2:
        asked = ask(text, companion=companion)
        assert not again(asked)
        assert "cached" not in ended(asked).result
    assert len(workers.requests) == 4
    assert not redis.client().keys("{buddy}:answer:*")


def test_ten_who_ask_the_same_at_once_share_one_call(workers):
    workers.script(text="Once.", wait=1.5)

    def one(number):
        try:
            return ask(owner=f"s:{number}", request_id=f"t-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        asked = list(pool.map(one, range(10)))
    wait_until(lambda: workers.requests, "the call")
    states = list(Job.objects.values_list("state", flat=True))
    assert (states.count(State.ACTIVE), states.count(State.DELAYED)) == (1, 9), "who waits holds no slot"
    ends = [ended(one) for one in asked]
    assert {job.result["response"] for job in ends} == {reply_to(one) for one in asked} == {"Once."}
    assert sum("cached" in job.result for job in ends) == 9
    assert len(workers.requests) == 1
    assert {name: store.statistics()[name] for name in ("hits", "misses", "shared")} == {
        "hits": 0,
        "misses": 1,
        "shared": 9,
    }


def test_a_leader_that_is_gone_leads_nobody(valkey):
    leader = ask(owner=ALICE)
    services.cancel(owner=ALICE, job_id=leader.job.id)
    assert not ask(owner=BOB).job.unfinished_parents
