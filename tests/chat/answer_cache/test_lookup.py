"""A question that was answered before is answered at once."""

import pytest
from redis import Redis

from queueing.api import Rejected, State, pause
from queueing.api.sockets import in_thread
from tests.chat.questions import edit_question
from tests.chat.tabs import browser

from .asking import ALICE, BOB, QUESTION, again, ask, ended, put, reply_to

pytestmark = pytest.mark.django_db(transaction=True)


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
    anew = edit_question(other, owner=ALICE, text=QUESTION, request_id="anew").accepted
    waits = ask("And in Porto?", thread=other.thread_id)
    assert waits.job.unfinished_parents, "a thread's messages are answered in order"
    assert "cached" not in ended(anew).result
    assert ended(waits).result["cached"]
    assert len(workers.requests) == 3


@pytest.mark.parametrize("hindrance", ["paused", "full", "no worker"])
def test_a_stored_answer_waits_for_nothing(valkey, hindrance, settings):
    put()
    if hindrance == "paused":
        pause("openai-chat")
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
