"""Questions that are edited, withdrawn or asked anew."""

import itertools
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from chat.conversations import selectors
from chat.models import Message
from queueing.api import Job
from tests.chat.questions import submit_question
from tests.chat.tabs import browser

from .asking import ask, end_of, running, running_in, thread_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_a_waiting_question_is_edited_in_place_for_every_tab(workers):
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        first = await running(tab, workers)
        second = await ask(tab, "Secnod", "r-2", threadId=first["threadId"])
        answer = await alice.call("patch", f"/api/messages/{second['messageId']}", {"content": "Second"})
        assert (answer.status_code, answer.json()["jobId"]) == (202, second["jobId"])
        for one in (tab, other):
            edited = (await one.hear_until("thread:edited"))[-1]
            assert (edited["messageId"], edited["content"]) == (second["messageId"], "Second")
        await tab.say(type="job:cancel", jobId=first["jobId"])
        assert (await end_of(tab, second["jobId"]))["type"] == "chat:completed"
    sent = str(workers.requests[-1].json)
    assert "Second" in sent
    assert "Secnod" not in sent


async def test_an_edit_only_of_what_waits_stops_and_removes_nothing(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await running(tab, workers)
        second = await ask(tab, "Secnod", "r-2", threadId=first["threadId"])
        edit = {"type": "message:edit", "content": "Second", "onlyIfWaiting": True}
        for _ in range(2):
            await tab.say(**edit, messageId=second["messageId"], requestId="e-2")
            assert (await tab.hear_until("thread:edited"))[-1]["jobId"] == second["jobId"]
        await tab.say(**edit, messageId=first["messageId"], requestId="e-1")
        error = (await tab.hear_until("error"))[-1]
        assert (error["code"], error["requestId"]) == ("wrong_state", "e-1")
        body = {"content": "Better", "onlyIfWaiting": True}
        answer = await alice.call("patch", f"/api/messages/{first['messageId']}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
        await tab.say(type="job:cancel", jobId=first["jobId"])
        await end_of(tab, second["jobId"])
        await tab.say(**edit, messageId=second["messageId"], requestId="e-2")
        assert (await tab.hear_until("thread:edited"))[-1]["jobId"] == second["jobId"], "it was done"
        texts = [text for role, text, _ in await thread_of(alice, first["threadId"]) if role == "user"]
        assert texts == ["First", "Second"]
    assert len(workers.requests) == 2


@pytest.mark.parametrize("moment", range(1, 5))
def test_an_answer_that_ends_while_its_thread_is_read_is_not_told_to_be_empty(moment):
    asked = submit_question(owner="s:reader", companion="travel", text="Where to?", request_id="r-1")
    queries = itertools.count(1)

    def end_in_between(execute: Any, *query: Any) -> Any:
        if next(queries) == moment:
            Message.objects.filter(id=asked.reply_id).update(content="To the sea.")
            over = {"state": "completed", "finished_at": timezone.now()}
            Job.objects.filter(id=asked.job.id).update(**over)
        return execute(*query)

    with connection.execute_wrapper(end_in_between):
        thread = selectors.thread(owner="s:reader", thread_id=asked.thread_id)
        _, reply = selectors.conversation(thread)
    assert next(queries) > moment
    assert reply.status != "completed" or reply.message.content == "To the sea."


async def test_an_answered_question_is_asked_anew_and_what_followed_is_removed(workers):
    workers.script(match="First", text="Old answer.")
    workers.script(match="Better", text="New answer.")
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        first = await ask(tab, "First", "r-1")
        await end_of(tab, first["jobId"])
        second = await running_in(tab, workers, first["threadId"])
        edit = {
            "type": "message:edit",
            "messageId": first["messageId"],
            "content": "Better",
            "requestId": "r-3",
        }
        await tab.say(**edit)
        assert (await tab.hear_until("thread:removed"))[-1]["threadId"] == first["threadId"]
        anew = (await tab.hear_until("chat:queued"))[-1]
        assert anew["requestId"] == "r-3"
        assert (await end_of(tab, anew["jobId"]))["response"] == "New answer."
        removed = (await other.hear_until("thread:removed"))[-1]
        assert set(removed["messageIds"]) == {
            first["messageId"], first["replyId"], second["messageId"], second["replyId"],
        }  # fmt: skip
        assert await thread_of(alice, first["threadId"]) == [
            ("user", "Better", "completed"),
            ("assistant", "New answer.", "completed"),
        ]
        await tab.say(**edit)
        again = (await tab.hear_until("chat:queued"))[-1]
        assert again["jobId"] == anew["jobId"], "the same edit again is the same edit"
    assert "Old answer." not in str(workers.requests[-1].json)
    assert not await Job.objects.filter(text__contains="slow").aexists()


async def test_what_has_begun_cannot_be_withdrawn(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await running(tab, workers)
        await tab.say(type="message:withdraw", messageId=first["messageId"])
        assert (await tab.hear_until("error"))[-1]["code"] == "wrong_state"
        assert (await alice.call("delete", f"/api/messages/{first['messageId']}")).status_code == 409
        assert await Message.objects.acount() == 2


async def test_bob_cannot_touch_alices_messages():
    async with browser() as alice, browser() as bob:
        tab, bobs = await alice.open(), await bob.open()
        queued = await ask(tab, "Mine", "r-1")
        for said in (
            {"type": "message:edit", "messageId": queued["messageId"], "content": "Bob was here"},
            {"type": "message:withdraw", "messageId": queued["messageId"]},
            {"type": "message:edit", "messageId": queued["replyId"], "content": "Bob was here"},
        ):
            await bobs.say(**said)
            assert (await bobs.hear())["code"] == "not_found"
        path = f"/api/messages/{queued['messageId']}"
        await bob.client.get("/")
        assert (await bob.call("patch", path, {"content": "Bob was here"})).status_code == 404
        assert (await bob.call("delete", path)).status_code == 404
        assert await thread_of(alice, queued["threadId"]) == [
            ("user", "Mine", "waiting"),
            ("assistant", "", "waiting"),
        ]


async def test_an_empty_edit_is_refused_and_changes_nothing():
    async with browser() as alice:
        tab = await alice.open()
        queued = await ask(tab, "One", "r-1")
        await tab.say(type="message:edit", messageId=queued["messageId"], content="  ")
        error = (await tab.hear_until("error"))[-1]
        assert (error["code"], error["field"]) == ("invalid", "message")
        assert (await Message.objects.aget(pk=queued["messageId"])).content == "One"
