"""A question with a stored answer is answered at once."""

import pytest
from redis import Redis

from queueing.api import Rejected, State, pause
from queueing.api.sockets import in_thread
from tests.chat.browser import browser
from tests.chat.questions import edit_question

from .cached_questions import ALICE, BOB, QUESTION, is_cached, reply_text, store_answer, submit, wait_for_job

pytestmark = pytest.mark.django_db(transaction=True)


def test_same_question_and_same_conversation_are_answered_at_once(workers, valkey):
    first = submit(companion="corporate")
    told = wait_for_job(first).result
    wait_for_job(submit("And in Porto?", thread=first.thread_id, companion="corporate"))

    other = submit("  " + QUESTION + "\n", companion="corporate")
    assert is_cached(other)
    assert (other.created, other.job.state) == (True, State.COMPLETED)
    assert other.job.result["response"] == reply_text(other) == told["response"]
    assert "cached" not in told
    assert is_cached(submit("And in Porto?", thread=other.thread_id, companion="corporate"))
    assert len(workers.requests) == 2

    wait_for_job(submit("And in Faro?", thread=other.thread_id, companion="corporate"))
    assert len(workers.requests) == 3
    assert not is_cached(submit("And in Porto?", thread=other.thread_id, companion="corporate"))

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


def test_waiting_question_finds_the_stored_answer_when_it_runs(workers):
    workers.script(text="One.", match="Lisbon")
    workers.script(text="One.", wait=0.5, match="Lisbon")
    first = submit()
    wait_for_job(first)
    wait_for_job(submit("And in Porto?", thread=first.thread_id))

    other = submit()
    edited = edit_question(other, owner=ALICE, text=QUESTION, request_id="edited").accepted
    waits = submit("And in Porto?", thread=other.thread_id)
    assert waits.job.unfinished_parents, "a thread's messages are answered in order"
    assert "cached" not in wait_for_job(edited).result
    assert wait_for_job(waits).result["cached"]
    assert len(workers.requests) == 3


@pytest.mark.parametrize("hindrance", ["paused", "full", "no worker"])
def test_stored_answer_is_returned_when_the_queue_is_paused_or_full(valkey, hindrance, settings):
    store_answer()
    if hindrance == "paused":
        pause("openai-chat")
    if hindrance == "full":
        queues = settings.QUEUEING["QUEUES"]
        narrow = queues | {"openai-chat": queues["openai-chat"] | {"soft_limit": 1, "hard_limit": 1}}
        settings.QUEUEING = settings.QUEUEING | {"QUEUES": narrow}
        submit("Something else?", owner=BOB)
        with pytest.raises(Rejected):
            submit("Something else yet?")
    asked = submit()
    assert is_cached(asked)
    assert reply_text(asked) == "With two kisses."


async def test_stored_answer_is_streamed_and_marked_as_cached(valkey):
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        await in_thread(store_answer)()
        await tab.ask(QUESTION, companion="culture")
        for heard in (await tab.receive_until("chat:completed"), await other.receive_until("chat:completed")):
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
        await tab.send_message(type="ping", t=1)
        assert (await tab.receive_event())["type"] == "pong", "nothing is told twice"
