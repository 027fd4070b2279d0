"""Answers made anew, kept and forgotten."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from chat.answer_cache import store
from chat.companions.registry import COMPANIONS
from chat.conversations import services
from chat.conversations.threads import delete_thread
from chat.models import Thread
from queueing.api import State, pause, redis, resume
from tests.chat.questions import edit_question
from tests.support.valkey import point_at

from .asking import ALICE, BOB, QUESTION, again, ask, ended, put, reply_to

pytestmark = pytest.mark.django_db(transaction=True)


def test_asking_anew_and_trying_again_and_following_a_failure_ask_the_model(workers):
    workers.script(text="The first.")
    workers.script(text="The second.")
    ended(ask())
    second = ask()
    assert (again(second), reply_to(second)) == (True, "The first.")
    anew = edit_question(second, owner=ALICE, text=QUESTION, request_id="anew").accepted
    assert ended(anew).result["response"] == "The second."
    assert reply_to(ask(owner=BOB)) == "The second.", "that is the one that is kept"

    pause("openai-chat")
    failed = ask("And in Porto?")
    services.cancel(owner=ALICE, job_id=failed.job.id)
    put("And in Porto?")
    services.retry(owner=ALICE, job_id=failed.job.id)
    resume("openai-chat")
    assert "cached" not in ended(failed).result

    workers.script(status=400, code="invalid_request_error", wait=0.5)
    leader, follower = ask("And in Faro?", owner=ALICE), ask("And in Faro?", owner=BOB)
    assert follower.job.unfinished_parents
    assert ended(leader).state == State.FAILED
    assert "cached" not in ended(follower).result
    assert len(workers.requests) == 5


def test_a_deleted_threads_answers_are_forgotten(valkey):
    _, thread_id = put(owner=BOB)
    thread = Thread(id=UUID(thread_id), owner=BOB, companion="culture", title="?", updated_at=timezone.now())
    thread.save()
    delete_thread(owner=BOB, thread_id=thread.id)
    assert not again(ask())


def test_an_owner_is_forgotten_and_nobody_else(valkey):
    put(owner=ALICE)
    put("And in Porto?", owner=BOB)
    store.forget(ALICE)
    assert not again(ask(owner=ALICE))
    assert again(ask("And in Porto?", owner=ALICE))
    assert not [key for key in redis.client().keys("*") if "alice" in key and "answers" in key]


def test_the_oldest_go_when_there_are_too_many(valkey, monkeypatch):
    monkeypatch.setattr(store, "MAX_ANSWERS", 3)
    for number in range(5):
        put(f"Question {number}?")
    assert [again(ask(f"Question {number}?")) for number in range(5)] == [False, False, True, True, True]
    assert store.statistics()["kept"] == 3


def test_what_is_too_long_or_empty_is_not_kept(valkey):
    put(said="")
    assert not again(ask())
    put("Another?", said="x" * (store.MAX_CHARACTERS + 1))
    assert not again(ask("Another?"))


def test_without_redis_questions_are_asked(valkey, settings):
    put()
    point_at(settings, "redis://127.0.0.1:1/0")
    assert not again(ask())
    assert store.statistics() is None


def test_it_can_be_switched_off(valkey, settings):
    put()
    settings.ANSWER_CACHE_SECONDS = 0
    assert not again(ask())


@pytest.mark.parametrize("change", ["OPENAI_MODEL", "OPENAI_BASE_URL", "instructions"])
def test_another_model_or_other_instructions_are_another_question(valkey, settings, change, monkeypatch):
    put()
    if change == "instructions":
        monkeypatch.setitem(COMPANIONS, "culture", replace(COMPANIONS["culture"], instructions="Be brief."))
    else:
        setattr(settings, change, "http://another/v1")
    assert not again(ask())


def test_the_status_page_counts(valkey):
    put()
    ask()
    counted = Client().get("/api/queue/status").json()["answers"]
    assert counted == {"hits": 1, "misses": 0, "shared": 0, "hitRate": 1.0, "kept": 1}
