"""Who gets whose answers, and how simultaneous askers share one call."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from chat.answer_cache import store
from chat.conversations import services
from queueing.api import Job, State, redis
from tests.support.valkey import wait_until

from .cached_questions import ALICE, BOB, QUESTION, is_cached, reply_text, submit, wait_for_job

pytestmark = pytest.mark.django_db(transaction=True)


def test_stored_answer_is_shared_only_as_the_companion_allows(workers):
    wait_for_job(submit(owner=ALICE, companion="corporate"))
    stranger = submit(owner=BOB, companion="corporate")
    assert not is_cached(stranger)
    wait_for_job(stranger)
    assert len(workers.requests) == 2

    # A shared companion's first answers are everybody's, and nothing after them.
    first = submit(owner=ALICE)
    wait_for_job(first)
    wait_for_job(submit("And in Porto?", owner=ALICE, thread=first.thread_id))
    stranger = submit(owner=BOB)
    assert is_cached(stranger)
    then = submit("And in Porto?", owner=BOB, thread=stranger.thread_id)
    assert not is_cached(then)
    wait_for_job(then)
    assert len(workers.requests) == 5


def test_answer_to_a_possible_crisis_is_not_stored(workers):
    for companion, text in [("emotional", QUESTION), ("culture", f"I want to kill myself. {QUESTION}")] * 2:
        asked = submit(text, companion=companion)
        assert not is_cached(asked)
        assert "cached" not in wait_for_job(asked).result
    assert len(workers.requests) == 4
    assert not redis.client().keys("{buddy}:answer:*")


def test_ten_simultaneous_askers_share_one_call(workers):
    workers.script(text="Once.", wait=1.5)

    def one(number):
        try:
            return submit(owner=f"s:{number}", request_id=f"t-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        asked = list(pool.map(one, range(10)))
    wait_until(lambda: workers.requests, "the call")
    states = list(Job.objects.values_list("state", flat=True))
    assert (states.count(State.ACTIVE), states.count(State.DELAYED)) == (1, 9), "who waits holds no slot"
    ends = [wait_for_job(one) for one in asked]
    assert {job.result["response"] for job in ends} == {reply_text(one) for one in asked} == {"Once."}
    assert sum("cached" in job.result for job in ends) == 9
    assert len(workers.requests) == 1
    assert {name: store.statistics()[name] for name in ("hits", "misses", "shared")} == {
        "hits": 0,
        "misses": 1,
        "shared": 9,
    }


def test_finished_leader_is_not_followed(valkey):
    leader = submit(owner=ALICE)
    services.cancel(owner=ALICE, job_id=leader.job.id)
    assert not submit(owner=BOB).job.unfinished_parents
