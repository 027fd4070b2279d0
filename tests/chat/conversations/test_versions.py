"""Another answer to the same question, and the choice of a branch."""

import time
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from chat.conversations.edit import withdraw_message
from chat.conversations.services import retry
from chat.conversations.versions import Regeneration, choose_version, regenerate
from chat.errors import Conflict
from chat.models import Message, Thread
from chat.prompting.conversation_context import load_context
from queueing.api import Job, State, cancel
from queueing.values import ids
from tests.chat.browser import Browser, browser
from tests.chat.questions import edit_question, submit_question

from .thread_steps import read_thread, send_question, start_slow_answer, wait_for_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def messages(one: Browser, thread_id: str) -> list[dict[str, Any]]:
    return (await one.client.get(f"/api/threads/{thread_id}")).json()["messages"]


async def test_another_answer_is_a_version_that_all_tabs_show(workers):
    workers.script(match="Where", text="To the sea.")
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        first = await send_question(tab, "Where to?", "r-1")
        await wait_for_end(tab, first["jobId"])
        workers.script(match="Where", text="To the hills.")
        await tab.send_message(type="message:regenerate", messageId=first["replyId"], requestId="r-2")
        again = (await tab.receive_until("chat:queued"))[-1]
        assert (again["requestId"], again["messageId"]) == ("r-2", first["messageId"])
        assert (await wait_for_end(tab, again["jobId"]))["response"] == "To the hills."
        branch = (await other.receive_until("thread:branch"))[-1]
        assert branch["leafId"] == again["replyId"]
        question, reply = await messages(alice, first["threadId"])
        assert "versions" not in question
        assert (reply["id"], reply["versions"]) == (again["replyId"], [first["replyId"], again["replyId"]])
        chosen = {"messageId": first["replyId"]}
        answer = await alice.call("put", f"/api/threads/{first['threadId']}/leaf", chosen)
        assert answer.json() == {"leafId": first["replyId"]}
        assert (await other.receive_until("thread:branch"))[-1]["because"] == "chosen"
        assert (await messages(alice, first["threadId"]))[-1]["content"] == "To the sea."
        third = await send_question(tab, "And then?", "r-3", threadId=first["threadId"])
        await wait_for_end(tab, third["jobId"])
    sent = str(workers.requests[-1].json)
    assert "To the sea." in sent, "the model reads the chosen branch"
    assert "To the hills." not in sent


async def test_version_that_fails_without_a_word_gives_way_to_the_good_one(workers):
    workers.script(match="Where", text="To the sea.")
    async with browser() as alice:
        tab = await alice.open()
        first = await send_question(tab, "Where to?", "r-1")
        await wait_for_end(tab, first["jobId"])
        workers.script(match="Where", status=400)
        answer = await alice.call("post", f"/api/messages/{first['replyId']}/regenerate", {})
        assert answer.status_code == 202
        while (await tab.receive_until("thread:branch"))[-1]["because"] != "failed":
            pass
        assert (await wait_for_end(tab, answer.json()["jobId"]))["type"] == "chat:failed"
        _, reply = await messages(alice, first["threadId"])
        assert (reply["content"], len(reply["versions"])) == ("To the sea.", 2)
        workers.script(match="Where", text="To the hills.")
        await tab.send_message(type="job:retry", jobId=answer.json()["jobId"])
        await wait_for_end(tab, answer.json()["jobId"])
        assert (await messages(alice, first["threadId"]))[-1]["content"] == "To the hills."


async def test_stopped_version_with_words_stays(workers):
    workers.script(match="Where", text="To the sea.")
    async with browser() as alice:
        tab = await alice.open()
        first = await send_question(tab, "Where to?", "r-1")
        await wait_for_end(tab, first["jobId"])
        workers.script(match="Where", text="slow " * 400, delay=0.05)
        await tab.send_message(type="message:regenerate", messageId=first["replyId"])
        again = (await tab.receive_until("chat:delta"))[-1]
        answer = await alice.call("post", f"/api/messages/{first['replyId']}/regenerate", {"requestId": "x"})
        assert answer.status_code == 202, "the finished one can be asked for again meanwhile"
        await tab.send_message(type="job:cancel", jobId=answer.json()["jobId"])
        await wait_for_end(tab, answer.json()["jobId"])
        await tab.send_message(type="job:cancel", jobId=again["jobId"])
        await wait_for_end(tab, again["jobId"])
        chosen = (await messages(alice, first["threadId"]))[-1]
        assert len(chosen["versions"]) == 3


async def test_answer_that_is_being_written_has_no_other_version(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await start_slow_answer(tab, workers)
        await tab.send_message(type="message:regenerate", messageId=first["replyId"], requestId="r-2")
        error = (await tab.receive_until("error"))[-1]
        assert (error["code"], error["requestId"]) == ("wrong_state", "r-2")
        assert (
            await alice.call("post", f"/api/messages/{first['messageId']}/regenerate", {})
        ).status_code == 404
        await tab.send_message(type="job:cancel", jobId=first["jobId"])
        await wait_for_end(tab, first["jobId"])
    async with browser() as bob:
        await bob.open()
        assert (await bob.call("post", f"/api/messages/{first['replyId']}/regenerate", {})).status_code == 404
        leaf = {"messageId": first["replyId"]}
        assert (await bob.call("put", f"/api/threads/{first['threadId']}/leaf", leaf)).status_code == 404


def ask(text: str, request_id: str, thread_id: str | None = None, answer: str = "An answer.") -> Any:
    """Ask, and let it be answered."""
    thread = UUID(thread_id) if thread_id else None
    asked = submit_question(
        owner="s:1", companion="travel", text=text, request_id=request_id, thread_id=thread
    )
    end(asked, answer)
    return asked


def end(asked: Any, answer: str) -> None:
    Message.objects.filter(id=asked.reply_id).update(content=answer)
    Job.objects.filter(id=asked.job.id).update(state=State.COMPLETED, finished_at=timezone.now())


def again(reply_id: str, request_id: str = "") -> Any:
    return regenerate(Regeneration(owner="s:1", reply_id=UUID(reply_id), request_id=request_id))


def said(reply_id: str) -> list[str]:
    """Return what the model reads to write this reply."""
    reply = Message.objects.select_related("thread").get(id=reply_id)
    return [message.content for message in load_context(reply.pk.hex, reply.thread).messages]


def test_reply_reads_its_own_branch_also_when_another_is_chosen():
    first = ask("A", "r-1", answer="a")
    second = ask("B", "r-2", first.thread_id, answer="b")
    other = again(first.reply_id)
    assert said(other.reply_id) == ["A"]
    third = submit_question(
        owner="s:1", companion="travel", text="C", request_id="r-3", thread_id=UUID(first.thread_id)
    )
    end(other, "a2")
    assert said(third.reply_id) == ["A", "a2", "C"]
    choose_version(owner="s:1", thread_id=UUID(first.thread_id), message_id=UUID(second.reply_id))
    assert said(third.reply_id) == ["A", "a2", "C"]
    assert said(second.reply_id) == ["A", "a", "B"]


def test_same_request_twice_is_one_version():
    first = ask("A", "r-1")
    one, two = again(first.reply_id, "again"), again(first.reply_id, "again")
    assert (one.job.id, one.created, two.created) == (two.job.id, True, False)
    assert Message.objects.count() == 3


def test_question_about_a_document_or_without_a_text_is_not_asked_again():
    first = ask("A", "r-1")
    Message.objects.filter(id=first.message_id).update(attachment={"kind": "document", "name": "a.txt"})
    with pytest.raises(Conflict):
        again(first.reply_id)
    Message.objects.filter(id=first.message_id).update(content="", attachment={"kind": "audio", "name": ""})
    with pytest.raises(Conflict):
        again(first.reply_id)
    assert Message.objects.count() == 2


def test_withdrawn_version_of_a_question_gives_way_to_the_one_before():
    first = ask("A", "r-1")
    edited = edit_question(first, owner="s:1", text="B", request_id="e-1").accepted
    assert list(Message.objects.filter(is_chosen=True).values_list("content", flat=True)) == ["B", ""]
    withdraw_message(owner="s:1", message_id=UUID(edited.message_id))
    chosen = Message.objects.filter(is_chosen=True).values_list("content", flat=True)
    assert list(chosen) == ["A", "An answer."]
    assert Message.objects.count() == 2


def test_edit_cancels_what_waits_behind_it_and_a_retry_chooses_that_branch():
    first = ask("A", "r-1")
    thread_id = UUID(first.thread_id)
    waiting = [
        submit_question(owner="s:1", companion="travel", text=t, request_id=t, thread_id=thread_id)
        for t in ("B", "C")
    ]
    edit_question(first, owner="s:1", text="A2", request_id="e-1")
    states = [Job.objects.get(id=one.job.id).state for one in waiting]
    assert states == [State.CANCELLED, State.CANCELLED]
    retry(owner="s:1", job_id=waiting[0].job.id)
    chosen = Message.objects.filter(is_chosen=True, role="user").values_list("content", flat=True)
    assert list(chosen) == ["A", "B", "C"]


def test_summary_of_another_branch_is_not_told():
    first = ask("A", "r-1", answer="a")
    second = ask("B", "r-2", first.thread_id, answer="b")
    through = Message.objects.get(id=second.reply_id)
    Thread.objects.update(summary="A and B", summarized_through=through.pk)
    third = ask("C", "r-3", first.thread_id, answer="c")
    assert said(third.reply_id) == ["C"]
    other = again(third.reply_id)
    assert Thread.objects.get().summary, "what it covers is still chosen"
    assert said(other.reply_id) == ["C"]
    cancel(other.job.id)
    end(third, "c")
    again(second.reply_id)
    assert Thread.objects.get().summary == ""
    assert said(third.reply_id) == ["A", "a", "B", "b", "C"]


async def test_transcript_has_the_chosen_branch(workers):
    workers.script(match="Where", text="To the sea.")
    async with browser() as alice:
        tab = await alice.open()
        first = await send_question(tab, "Where to?", "r-1")
        await wait_for_end(tab, first["jobId"])
        workers.script(match="Where", text="To the hills.")
        again_ = await alice.call("post", f"/api/messages/{first['replyId']}/regenerate", {})
        await wait_for_end(tab, again_.json()["jobId"])
        answer = await alice.client.get(f"/api/threads/{first['threadId']}/transcript.md")
        text = b"".join([part async for part in answer.streaming_content]).decode()
        assert "To the hills." in text
        assert "To the sea." not in text
        assert len(await read_thread(alice, first["threadId"])) == 2


def test_messages_stay_in_order_over_hosts_whose_clocks_differ(monkeypatch):
    """Web host B answers a request after host A, whose clock is 30 s ahead."""
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 30 * 10**9)
    first = ask("A", "r-1", answer="a")
    monkeypatch.setattr(time, "time_ns", lambda: now)
    monkeypatch.setattr(ids, "_last", 0)
    second = ask("B", "r-2", first.thread_id, answer="b")
    again(second.reply_id)
    chosen = Message.objects.filter(is_chosen=True).values_list("content", flat=True)
    assert list(chosen) == ["A", "a", "B", ""]
    edit_question(first, owner="s:1", text="A2", request_id="e-1")
    assert list(Message.objects.filter(is_chosen=True).values_list("content", flat=True)) == ["A2", ""]
