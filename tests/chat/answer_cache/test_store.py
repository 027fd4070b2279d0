"""Answers that are renewed, stored and deleted."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from chat.accounts.personal_data.erasing import erase
from chat.accounts.personal_data.merge import merge
from chat.answer_cache import store
from chat.companions.registry import COMPANIONS
from chat.conversations import services
from chat.conversations.threads import delete_thread
from chat.models import Thread
from queueing.api import State, pause, redis, resume
from tests.chat.active_run import active_run
from tests.chat.questions import edit_question
from tests.support.valkey import point_at

from .cached_questions import ALICE, BOB, QUESTION, is_cached, reply_text, store_answer, submit, wait_for_job

pytestmark = pytest.mark.django_db(transaction=True)


def test_edit_retry_and_failed_leader_call_the_model(workers):
    workers.script(text="The first.")
    workers.script(text="The second.")
    wait_for_job(submit())
    second = submit()
    assert (is_cached(second), reply_text(second)) == (True, "The first.")
    edited = edit_question(second, owner=ALICE, text=QUESTION, request_id="edited").accepted
    assert wait_for_job(edited).result["response"] == "The second."
    assert reply_text(submit(owner=BOB)) == "The second.", "that is the one that is kept"

    pause("openai-chat")
    failed = submit("And in Porto?")
    services.cancel(owner=ALICE, job_id=failed.job.id)
    store_answer("And in Porto?")
    services.retry(owner=ALICE, job_id=failed.job.id)
    resume("openai-chat")
    assert "cached" not in wait_for_job(failed).result

    workers.script(status=400, code="invalid_request_error", wait=0.5)
    leader, follower = submit("And in Faro?", owner=ALICE), submit("And in Faro?", owner=BOB)
    assert wait_for_job(leader).state == State.FAILED
    assert "cached" not in wait_for_job(follower).result
    assert len(workers.requests) == 5


def test_deleted_thread_deletes_its_answers(valkey):
    _, thread_id = store_answer(owner=BOB)
    thread = Thread(id=UUID(thread_id), owner=BOB, companion="culture", title="?", updated_at=timezone.now())
    thread.save()
    delete_thread(owner=BOB, thread_id=thread.id)
    assert not is_cached(submit())


def stored_thread(text, owner):
    """Store an answer, and the thread from which it came."""
    _, thread_id = store_answer(text, owner=owner)
    now = timezone.now()
    return Thread.objects.create(
        id=UUID(thread_id), owner=owner, companion="culture", title="?", updated_at=now
    )


def test_erasing_an_owner_deletes_only_their_answers(valkey):
    stored_thread(QUESTION, ALICE)
    stored_thread("And in Porto?", BOB)
    erase(ALICE)
    assert not is_cached(submit(owner=BOB))
    assert is_cached(submit("And in Porto?", owner=BOB))


def test_erasing_a_user_deletes_answers_from_before_the_sign_up(valkey):
    """S23: the answer was stored for the visitor."""
    stored_thread(QUESTION, ALICE)
    merge(ALICE, "u:5")
    erase("u:5")
    assert not is_cached(submit(owner=BOB))


def test_answer_of_a_run_without_claim_is_not_stored(valkey):
    """S23: its job was cancelled, deleted or erased while a thread was about to store the answer."""
    with active_run() as ctx:
        pass
    store.keep("key", store.Answer("Too late.", "scripted"), ctx=ctx, thread_id="t")
    assert store.find("key") is None
    assert not [key for key in redis.client().keys("*") if "answer" in key]


def test_oldest_answers_are_deleted_over_the_maximum(valkey, monkeypatch):
    monkeypatch.setattr(store, "MAX_ANSWERS", 3)
    for number in range(5):
        store_answer(f"Question {number}?")
    assert [is_cached(submit(f"Question {number}?")) for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert store.statistics()["kept"] == 3


def test_long_or_empty_answer_is_not_stored(valkey):
    store_answer(said="")
    assert not is_cached(submit())
    store_answer("Another?", said="x" * (store.MAX_CHARACTERS + 1))
    assert not is_cached(submit("Another?"))


def test_lookup_without_redis_calls_the_model(valkey, settings):
    store_answer()
    point_at(settings, "redis://127.0.0.1:1/0")
    assert not is_cached(submit())
    assert store.statistics() is None


def test_cache_can_be_switched_off(valkey, settings):
    store_answer()
    settings.ANSWER_CACHE_SECONDS = 0
    assert not is_cached(submit())


@pytest.mark.parametrize("change", ["OPENAI_MODEL", "OPENAI_BASE_URL", "instructions"])
def test_key_depends_on_model_and_instructions(valkey, settings, change, monkeypatch):
    store_answer()
    if change == "instructions":
        monkeypatch.setitem(COMPANIONS, "culture", replace(COMPANIONS["culture"], instructions="Be brief."))
    else:
        setattr(settings, change, "http://another/v1")
    assert not is_cached(submit())


def test_status_page_has_cache_counts(valkey):
    store_answer()
    submit()
    counted = Client().get("/api/queue/status").json()["answers"]
    assert counted == {"hits": 1, "misses": 0, "shared": 0, "hitRate": 1.0, "kept": 1}
