"""Questions that are edited, withdrawn or asked again."""

import itertools
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.utils import timezone

from chat.conversations import pages, selectors
from chat.conversations.edit import MessageEdit, edit_message, withdraw_message
from chat.conversations.messages import AcceptedMessage
from chat.models import Message, Thread
from chat.replies import titles
from queueing.api import Job, State
from tests.chat.browser import browser
from tests.chat.questions import submit_question

from .thread_steps import read_thread, send_question, start_slow_answer, start_slow_follow_up, wait_for_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_edit_of_waiting_question_changes_it_in_every_tab(workers):
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        first = await start_slow_answer(tab, workers)
        second = await send_question(tab, "Secnod", "r-2", threadId=first["threadId"])
        answer = await alice.call("patch", f"/api/messages/{second['messageId']}", {"content": "Second"})
        assert (answer.status_code, answer.json()["jobId"]) == (202, second["jobId"])
        for one in (tab, other):
            edited = (await one.receive_until("thread:edited"))[-1]
            assert (edited["messageId"], edited["content"]) == (second["messageId"], "Second")
        await tab.send_message(type="job:cancel", jobId=first["jobId"])
        assert (await wait_for_end(tab, second["jobId"]))["type"] == "chat:completed"
    sent = str(workers.requests[-1].json)
    assert "Second" in sent
    assert "Secnod" not in sent


async def test_edit_with_only_if_waiting_of_started_question_is_refused(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await start_slow_answer(tab, workers)
        second = await send_question(tab, "Secnod", "r-2", threadId=first["threadId"])
        edit = {"type": "message:edit", "content": "Second", "onlyIfWaiting": True}
        for _ in range(2):
            await tab.send_message(**edit, messageId=second["messageId"], requestId="e-2")
            assert (await tab.receive_until("thread:edited"))[-1]["jobId"] == second["jobId"]
        await tab.send_message(**edit, messageId=first["messageId"], requestId="e-1")
        error = (await tab.receive_until("error"))[-1]
        assert (error["code"], error["requestId"]) == ("wrong_state", "e-1")
        body = {"content": "Better", "onlyIfWaiting": True}
        answer = await alice.call("patch", f"/api/messages/{first['messageId']}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
        await tab.send_message(type="job:cancel", jobId=first["jobId"])
        await wait_for_end(tab, second["jobId"])
        await tab.send_message(**edit, messageId=second["messageId"], requestId="e-2")
        assert (await tab.receive_until("thread:edited"))[-1]["jobId"] == second["jobId"], "it was done"
        texts = [text for role, text, _ in await read_thread(alice, first["threadId"]) if role == "user"]
        assert texts == ["First", "Second"]
    assert len(workers.requests) == 2


@pytest.mark.parametrize("moment", range(1, 5))
def test_reply_finished_while_its_thread_is_read_is_not_empty(moment):
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
        _, reply = pages.page(thread).items
    assert next(queries) > moment
    assert reply.status != "completed" or reply.message.content == "To the sea."


async def test_edit_of_answered_question_asks_again_in_a_branch_of_its_own(workers):
    workers.script(match="First", text="Old answer.")
    workers.script(match="Better", text="New answer.")
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        first = await send_question(tab, "First", "r-1")
        await wait_for_end(tab, first["jobId"])
        second = await start_slow_follow_up(tab, workers, first["threadId"])
        edit = {
            "type": "message:edit",
            "messageId": first["messageId"],
            "content": "Better",
            "requestId": "r-3",
        }
        await tab.send_message(**edit)
        assert (await tab.receive_until("thread:branch"))[-1]["threadId"] == first["threadId"]
        edited = (await tab.receive_until("chat:queued"))[-1]
        assert edited["requestId"] == "r-3"
        assert (await wait_for_end(tab, edited["jobId"]))["response"] == "New answer."
        branch = (await other.receive_until("thread:branch"))[-1]
        assert (branch["leafId"], branch["because"]) == (edited["replyId"], "asked")
        assert await read_thread(alice, first["threadId"]) == [
            ("user", "Better", "completed"),
            ("assistant", "New answer.", "completed"),
        ]
        await tab.send_message(**edit)
        again = (await tab.receive_until("chat:queued"))[-1]
        assert again["jobId"] == edited["jobId"], "the same edit again is the same edit"
        await alice.call("put", f"/api/threads/{first['threadId']}/leaf", {"messageId": second["replyId"]})
        old = [(role, status) for role, _, status in await read_thread(alice, first["threadId"])]
        assert [status for _, status in old] == 2 * ["completed"] + 2 * ["cancelled"], "its words are kept"
    assert "Old answer." not in str(workers.requests[-1].json)


async def test_withdrawal_of_started_question_is_refused(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await start_slow_answer(tab, workers)
        await tab.send_message(type="message:withdraw", messageId=first["messageId"])
        assert (await tab.receive_until("error"))[-1]["code"] == "wrong_state"
        assert (await alice.call("delete", f"/api/messages/{first['messageId']}")).status_code == 409
        assert await Message.objects.acount() == 2


async def test_other_visitor_cannot_edit_or_withdraw():
    async with browser() as alice, browser() as bob:
        tab, bobs = await alice.open(), await bob.open()
        queued = await send_question(tab, "Mine", "r-1")
        for said in (
            {"type": "message:edit", "messageId": queued["messageId"], "content": "Bob was here"},
            {"type": "message:withdraw", "messageId": queued["messageId"]},
            {"type": "message:edit", "messageId": queued["replyId"], "content": "Bob was here"},
        ):
            await bobs.send_message(**said)
            assert (await bobs.receive_event())["code"] == "not_found"
        path = f"/api/messages/{queued['messageId']}"
        await bob.client.get("/")
        assert (await bob.call("patch", path, {"content": "Bob was here"})).status_code == 404
        assert (await bob.call("delete", path)).status_code == 404
        assert await read_thread(alice, queued["threadId"]) == [
            ("user", "Mine", "waiting"),
            ("assistant", "", "waiting"),
        ]


async def test_empty_edit_is_refused_and_changes_nothing():
    async with browser() as alice:
        tab = await alice.open()
        queued = await send_question(tab, "One", "r-1")
        await tab.send_message(type="message:edit", messageId=queued["messageId"], content="  ")
        error = (await tab.receive_until("error"))[-1]
        assert (error["code"], error["field"]) == ("invalid", "message")
        assert (await Message.objects.aget(pk=queued["messageId"])).content == "One"


def ask(text: str, request_id: str, **more: Any) -> AcceptedMessage:
    return submit_question(owner="s:1", companion="travel", text=text, request_id=request_id, **more)


def title_after_edit(asked: AcceptedMessage, text: str) -> str:
    edit_message(MessageEdit(owner="s:1", message_id=UUID(asked.message_id), text=text))
    return Thread.objects.get().title


@pytest.mark.parametrize("state", [State.WAITING, State.COMPLETED])
def test_automatic_title_follows_the_first_question(state):
    """O20: edited while it waits, and asked again. Another question or a chosen title changes nothing."""
    first = ask("Lisbno in May", "r-1")
    thread_id = UUID(first.thread_id)
    if state == State.COMPLETED:
        Job.objects.update(state=state, finished_at=timezone.now())
    assert title_after_edit(first, "Lisbon in May") == "Lisbon in May"
    second = ask("And Porto?", "r-2", thread_id=thread_id)
    assert title_after_edit(second, "And Braga?") == "Lisbon in May"
    Thread.objects.update(has_custom_title=True, title="My trip")
    first_now = Message.objects.filter(role="user", is_chosen=True).first()
    edit_message(MessageEdit(owner="s:1", message_id=first_now.pk, text="Rome"))
    assert Thread.objects.get().title == "My trip"


def test_automatic_title_follows_when_the_first_question_is_withdrawn():
    first = ask("Lisbno", "r-1")
    ask("Porto", "r-2", thread_id=UUID(first.thread_id))
    withdraw_message(owner="s:1", message_id=UUID(first.message_id))
    assert Thread.objects.get().title == "Porto"


def test_title_found_for_words_that_are_gone_is_not_used():
    """O20: the first question was replaced while the model looked for a title."""
    first = ask("Lisbno", "r-1")
    Job.objects.update(state=State.COMPLETED, finished_at=timezone.now())
    assert title_after_edit(first, "Lisbon") == "Lisbon"
    thread, now = Thread.objects.get(), Message.objects.get(role="user", is_chosen=True)
    async_to_sync(titles._rename)(thread, "Lisbno trip", UUID(first.message_id))
    assert Thread.objects.get().title == "Lisbon"
    async_to_sync(titles._rename)(thread, "Lisbon trip", now.pk)
    assert Thread.objects.get().title == "Lisbon trip"
