"""Answers that are given again: to whom, when, and never to anybody else."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from redis import Redis

from chat import changes, services
from chat.answers import cache, reuse
from chat.companions import COMPANIONS
from chat.models import Message, Thread
from chat.threads.services import delete_thread
from queueing import control, redis
from queueing.errors import Rejected
from queueing.following import in_thread
from queueing.models import Job
from queueing.states import State
from tests.conftest import point_at, wait_until
from tests.integration.tabs import browser

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB = "s:alice", "s:bob"
QUESTION = "How do people greet each other in Lisbon?"


@pytest.fixture(autouse=True)
def stored(settings):
    settings.ANSWER_CACHE_SECONDS = 1000


@pytest.fixture
def workers(qcluster, provider):
    """A real cluster that stores answers, and the model behind it, which is asked for replies alone."""
    control.pause("background")
    qcluster(**provider.publishes, TEST_ANSWER_CACHE_SECONDS="1000")
    return provider


def ask(text=QUESTION, owner=ALICE, companion="culture", thread=None, **more):
    ask.number += 1
    request = {"request_id": f"r-{ask.number}", "thread_id": thread} | more
    return services.ask(owner=owner, companion=companion, text=text, **request)


ask.number = 0


def ended(asked):
    """The job, once it is over."""

    def over():
        job = Job.objects.get(pk=asked.job.pk)
        return job if job.is_finished else None

    return wait_until(over, "the answer")


def again(asked):
    """Whether the question was answered as it was asked, from what was stored."""
    return bool(asked.job.is_finished and asked.job.result["cached"])


def reply_to(asked):
    return Message.objects.get(id=asked.reply_id).content


def put(text=QUESTION, owner=ALICE, companion="culture", said="With two kisses."):
    """As if a worker had kept the answer to a first message; its key and where it came from."""
    thread = Thread(owner=owner, companion=companion)
    key = reuse._key(thread, text)
    cache.keep(key, cache.Answer(said, "scripted"), owner=owner, thread_id=thread.id.hex)
    return key, thread.id.hex


# --- the same again ----------------------------------------------------------------------------------


def test_the_same_question_is_answered_at_once_and_a_conversation_when_all_of_it_is_the_same(workers, valkey):
    first = ask(companion="corporate")
    told = ended(first).result
    ended(ask("And in Porto?", thread=first.thread_id, companion="corporate"))

    other = ask("  " + QUESTION + "\n", companion="corporate")
    assert again(other)
    assert (other.created, other.job.state) == (True, State.COMPLETED)
    assert other.job.result["response"] == reply_to(other) == told["response"]
    assert "cached" not in told
    assert again(ask("And in Porto?", thread=other.thread_id, companion="corporate"))
    assert len(workers.requests) == 2

    ended(ask("And in Faro?", thread=other.thread_id, companion="corporate"))
    assert len(workers.requests) == 3
    assert not again(ask("And in Porto?", thread=other.thread_id, companion="corporate"))

    client = Redis.from_url(valkey.url)  # bytes: some of it is not ours
    readers = {b"string": client.get, b"hash": client.hgetall, b"set": client.smembers}
    readers[b"zset"] = lambda key: client.zrange(key, 0, -1)
    held = {key: readers[client.type(key)](key) for key in client.keys("*") if client.type(key) in readers}
    answers = {key: value for key, value in held.items() if b":answer:" in key}
    assert told["response"] in b"".join(answers.values()).decode("unicode-escape")
    assert all(0 < client.ttl(key) <= 1000 for key in answers)
    # The scripted model repeats what it was asked; nothing else does.
    others = {key: value for key, value in held.items() if key not in answers and b":text:" not in key}
    assert "Faro" not in str(others)


def test_what_waits_for_its_turn_finds_the_answer_when_it_comes(workers):
    workers.script(text="One.", match="Lisbon")
    workers.script(text="One.", wait=0.5, match="Lisbon")
    first = ask()
    ended(first)
    ended(ask("And in Porto?", thread=first.thread_id))

    other = ask()
    anew = changes.edit(owner=ALICE, message_id=other.message_id, text=QUESTION, request_id="anew").asked
    waits = ask("And in Porto?", thread=other.thread_id)
    assert waits.job.pending, "a thread's messages are answered in order"
    assert "cached" not in ended(anew).result
    assert ended(waits).result["cached"]
    assert len(workers.requests) == 3


@pytest.mark.parametrize("hindrance", ["paused", "full", "no worker"])
def test_a_stored_answer_waits_for_nothing(valkey, hindrance, settings):
    put()
    if hindrance == "paused":
        control.pause("openai-chat")
    if hindrance == "full":
        queues = settings.QUEUEING["QUEUES"]
        narrow = queues | {"openai-chat": queues["openai-chat"] | {"soft_limit": 1, "hard_limit": 1}}
        settings.QUEUEING = settings.QUEUEING | {"QUEUES": narrow}
        ask("Something else?", owner=BOB)
        with pytest.raises(Rejected):
            ask("Something else yet?")
    asked = ask()
    assert again(asked)
    assert reply_to(asked) == "With two kisses."


async def test_it_streams_in_like_any_other_and_is_marked(valkey):
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        await in_thread(put)()
        await tab.ask(QUESTION, companion="culture")
        for heard in (await tab.hear_until("chat:completed"), await other.hear_until("chat:completed")):
            names = [event["type"] for event in heard]
            assert names == ["chat:queued", "chat:started", "chat:delta", "chat:completed"]
            assert heard[-1]["response"] == heard[2]["text"] == "With two kisses."
            assert heard[-1]["cached"] is True
        thread = await alice.call("get", f"/api/threads/{heard[0]['threadId']}")
        question, reply = thread.json()["messages"]
        assert (reply["cached"], reply["content"]) == (True, "With two kisses.")
        assert "cached" not in question
        job = await alice.call("get", f"/api/jobs/{heard[0]['jobId']}")
        assert job.json()["cached"] is True
        await tab.say(type="ping", t=1)
        assert (await tab.hear())["type"] == "pong", "nothing is told twice"


# --- whose it is -------------------------------------------------------------------------------------


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


# --- together ----------------------------------------------------------------------------------------


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
    assert {name: cache.statistics()[name] for name in ("hits", "misses", "shared")} == {
        "hits": 0,
        "misses": 1,
        "shared": 9,
    }


def test_a_leader_that_is_gone_leads_nobody(valkey):
    leader = ask(owner=ALICE)
    services.cancel(owner=ALICE, job_id=leader.job.id)
    assert not ask(owner=BOB).job.pending


# --- anew --------------------------------------------------------------------------------------------


def test_asking_anew_and_trying_again_and_following_a_failure_ask_the_model(workers):
    workers.script(text="The first.")
    workers.script(text="The second.")
    ended(ask())
    second = ask()
    assert (again(second), reply_to(second)) == (True, "The first.")
    anew = changes.edit(owner=ALICE, message_id=second.message_id, text=QUESTION, request_id="anew").asked
    assert ended(anew).result["response"] == "The second."
    assert reply_to(ask(owner=BOB)) == "The second.", "that is the one that is kept"

    control.pause("openai-chat")
    failed = ask("And in Porto?")
    services.cancel(owner=ALICE, job_id=failed.job.id)
    put("And in Porto?")
    services.retry(owner=ALICE, job_id=failed.job.id)
    control.resume("openai-chat")
    assert "cached" not in ended(failed).result

    workers.script(status=400, code="invalid_request_error", wait=0.5)
    leader, follower = ask("And in Faro?", owner=ALICE), ask("And in Faro?", owner=BOB)
    assert follower.job.pending
    assert ended(leader).state == State.FAILED
    assert "cached" not in ended(follower).result
    assert len(workers.requests) == 5


# --- keeping and forgetting --------------------------------------------------------------------------


def test_a_deleted_threads_answers_are_forgotten(valkey):
    _, thread_id = put(owner=BOB)
    thread = Thread(id=UUID(thread_id), owner=BOB, companion="culture", title="?", updated_at=timezone.now())
    thread.save()
    delete_thread(owner=BOB, thread_id=thread.id)
    assert not again(ask())


def test_an_owner_is_forgotten_and_nobody_else(valkey):
    put(owner=ALICE)
    put("And in Porto?", owner=BOB)
    cache.forget(ALICE)
    assert not again(ask(owner=ALICE))
    assert again(ask("And in Porto?", owner=ALICE))
    assert not [key for key in redis.client().keys("*") if "alice" in key and "answers" in key]


def test_the_oldest_go_when_there_are_too_many(valkey, monkeypatch):
    monkeypatch.setattr(cache, "MOST", 3)
    for number in range(5):
        put(f"Question {number}?")
    assert [again(ask(f"Question {number}?")) for number in range(5)] == [False, False, True, True, True]
    assert cache.statistics()["kept"] == 3


def test_what_is_too_long_or_empty_is_not_kept(valkey):
    put(said="")
    assert not again(ask())
    put("Another?", said="x" * (cache.MOST_CHARACTERS + 1))
    assert not again(ask("Another?"))


def test_without_redis_questions_are_asked(valkey, settings):
    put()
    point_at(settings, "redis://127.0.0.1:1/0")
    assert not again(ask())
    assert cache.statistics() is None


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
