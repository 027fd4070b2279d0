"""Who gets whose answers, and how simultaneous askers share one call."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from chat.accounts.personal_data.erasing import erase
from chat.answer_cache import store
from chat.conversations import services
from queueing.api import Job, State, redis
from tests.provider.script import Script
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
    ends = [wait_for_job(one) for one in asked]
    assert {job.result["response"] for job in ends} == {reply_text(one) for one in asked} == {"Once."}
    assert sum("cached" in job.result for job in ends) == 9
    assert len(workers.requests) == 1
    counts = store.statistics()
    assert (counts["misses"], counts["hits"] + counts["shared"]) == (1, 9)


def test_question_that_waits_in_the_line_of_another_visitor_delays_no_stranger(workers):
    """S20: a stranger clicked the prompt that was a visitor's nineteenth question, and waited for them."""
    workers.script(*[Script(text="Yes.", wait=0.3, match="Mine")] * 18)
    for number in range(18):
        submit(f"Mine {number}?", owner=ALICE)
    submit(owner=ALICE)
    stranger = submit(owner=BOB)
    assert stranger.submission.queued_event["position"] <= 3
    ended = wait_for_job(stranger)
    before = Job.objects.filter(queue="openai-chat", started_at__lt=ended.started_at).count()
    assert before <= 6, f"{before} questions of the visitor started before the stranger's"


def text_so_far(asked) -> str:
    return redis.client().get(f"{{buddy}}:text:{asked.job.id.hex}") or ""


def share_a_call(workers, text="One two three four."):
    """Let Alice and Bob ask the same, and wait until both have the beginning of the one answer."""
    workers.script(text=text, until="go on", pause_after=2)
    first = submit(owner=ALICE)
    wait_until(lambda: "One" in text_so_far(first), "the beginning")
    second = submit(owner=BOB)
    wait_until(lambda: "One" in text_so_far(second), "the beginning, for the one who came later")
    assert len(workers.requests) == 1
    return first, second


def test_job_that_joins_a_call_gets_its_text_as_it_arrives(workers):
    first, second = share_a_call(workers)
    workers.release("go on")
    assert {wait_for_job(one).result["response"] for one in (first, second)} == {"One two three four."}
    assert len(workers.requests) == 1


@pytest.mark.parametrize("leave", ["cancel", "erase"])
def test_first_asker_who_leaves_does_not_end_the_call_of_the_second(workers, leave):
    first, second = share_a_call(workers)
    if leave == "cancel":
        services.cancel(owner=ALICE, job_id=first.job.id)
    else:
        erase(ALICE)
    workers.release("go on")
    ended = wait_for_job(second)
    assert (ended.state, ended.result["response"]) == (State.COMPLETED, "One two three four.")
    assert ended.run_count == 1
    assert len(workers.requests) == 1


def test_call_that_all_have_left_is_closed(workers):
    first, second = share_a_call(workers)
    for asked, owner in ((first, ALICE), (second, BOB)):
        services.cancel(owner=owner, job_id=asked.job.id)
    workers.wait_for(lambda requests: requests[0].disconnected)


def test_job_whose_shared_call_fails_makes_its_own(workers):
    workers.script(text="One two three.", until="go on", pause_after=2, end="cut")
    first = submit(owner=ALICE)
    wait_until(lambda: "One" in text_so_far(first), "the beginning")
    second = submit(owner=BOB)
    wait_until(lambda: "One" in text_so_far(second), "the beginning")
    workers.script(text="My own.", times=0)
    workers.release("go on")
    ended = wait_for_job(second)
    assert (ended.result["response"], ended.run_count) == ("My own.", 1)
    assert wait_for_job(first).state == State.COMPLETED
