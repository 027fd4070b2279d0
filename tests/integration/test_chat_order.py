"""The order in a thread, and second thoughts about a question. Alice asks; Bob pries."""

import itertools
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from chat import selectors, services
from chat.models import Message
from queueing.models import Job
from tests.integration.tabs import Browser, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

SLOW = " ".join(["slow"] * 400)


async def ask(tab: Tab, text: str, request_id: str, **more: Any) -> dict[str, Any]:
    """Ask, and the `chat:queued` that answers."""
    await tab.ask(text, request_id, **more)
    heard = await tab.hear_until("chat:queued", "chat:rejected", "error")
    while heard[-1].get("requestId") != request_id:
        heard = await tab.hear_until("chat:queued", "chat:rejected", "error")
    return heard[-1]


async def end_of(tab: Tab, job_id: str) -> dict[str, Any]:
    """The job's terminal event."""
    while True:
        event = (await tab.hear_until("chat:completed", "chat:failed", "chat:cancelled"))[-1]
        if event["jobId"] == job_id:
            return event


async def thread_of(browser: Browser, thread_id: str) -> list[tuple[str, str, str]]:
    """(role, content, status) of each message, as a page that is loaded anew finds them."""
    answer = (await browser.client.get(f"/api/threads/{thread_id}")).json()
    return [(m["role"], m["content"], m["status"]) for m in answer["messages"]]


async def running(tab: Tab, provider: Any, text: str = "First") -> dict[str, Any]:
    """A question whose slow answer has begun."""
    provider.script(text=SLOW, delay=0.05, match=text)
    queued = await ask(tab, text, text)
    await tab.hear_until("chat:delta")
    return queued


async def test_the_next_question_waits_for_its_turn_and_survives_a_reload(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await running(tab, workers)
        second = await ask(tab, "Second", "r-2", threadId=first["threadId"])
        assert second["position"] is None
        assert second["estimatedWait"] == {"low": None, "high": None, "reason": "turn"}
        assert (await thread_of(alice, first["threadId"]))[2:] == [
            ("user", "Second", "waiting"),
            ("assistant", "", "waiting"),
        ]
        reloaded = await alice.open()
        await reloaded.say(type="job:watch", jobId=second["jobId"])
        heard = await reloaded.hear_until("chat:position")
        assert heard[-1]["estimatedWait"]["reason"] == "turn"
        assert len(workers.requests) == 1


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
async def test_the_next_question_runs_however_the_one_before_ended(workers, how):
    script = {
        "completed": {"text": "Done."},
        "failed": {"status": 401, "code": "invalid_api_key"},
        "cancelled": {"text": SLOW, "delay": 0.05},
    }[how]
    workers.script(match="First", wait=1.0 if how != "cancelled" else 0, **script)
    workers.script(match="Second", text="Second answer.")
    workers.script(match="Third", text="Third answer.")
    async with browser() as alice:
        tab = await alice.open()
        first = await ask(tab, "First", "r-1")
        second = await ask(tab, "Second", "r-2", threadId=first["threadId"])
        third = await ask(tab, "Third", "r-3", threadId=first["threadId"])
        if how == "cancelled":
            await tab.hear_until("chat:delta")
            await tab.say(type="job:cancel", jobId=first["jobId"])
        assert (await end_of(tab, first["jobId"]))["type"] == f"chat:{how}"
        assert (await end_of(tab, second["jobId"]))["response"] == "Second answer."
        assert (await end_of(tab, third["jobId"]))["response"] == "Third answer."
    jobs = [await Job.objects.aget(pk=queued["jobId"]) for queued in (first, second, third)]
    assert jobs[0].finished_at <= jobs[1].started_at < jobs[1].finished_at <= jobs[2].started_at


async def test_withdrawing_the_one_between_lets_nobody_overtake(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await running(tab, workers)
        second = await ask(tab, "Second", "r-2", threadId=first["threadId"])
        third = await ask(tab, "Third", "r-3", threadId=first["threadId"])
        await tab.say(type="message:withdraw", messageId=second["messageId"])
        removed = (await tab.hear_until("thread:removed"))[-1]
        assert set(removed["messageIds"]) == {second["messageId"], second["replyId"]}
        assert (await Job.objects.aget(pk=third["jobId"])).pending == 1
        assert [text for _, text, _ in await thread_of(alice, first["threadId"])] == [
            "First", "", "Third", "",
        ]  # fmt: skip
        await tab.say(type="job:cancel", jobId=first["jobId"])
        assert (await end_of(tab, third["jobId"]))["type"] == "chat:completed"


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
    asked = services.ask(owner="s:reader", companion="travel", text="Where to?", request_id="r-1")
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


async def running_in(tab: Tab, provider: Any, thread_id: str) -> dict[str, Any]:
    provider.script(text=SLOW, delay=0.05, match="Follow-up")
    queued = await ask(tab, "Follow-up", "r-2", threadId=thread_id)
    await tab.hear_until("chat:delta")
    return queued


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


async def test_a_thread_takes_no_end_of_waiting_questions(monkeypatch):
    monkeypatch.setattr(services, "MAX_WAITING", 2)
    async with browser() as alice:
        tab = await alice.open()
        first = await ask(tab, "One", "r-1")
        await ask(tab, "Two", "r-2", threadId=first["threadId"])
        third = await ask(tab, "Three", "r-3", threadId=first["threadId"])
        assert (third["type"], third["code"]) == ("chat:rejected", "owner_limit")
        assert await Message.objects.acount() == 4


async def test_an_empty_edit_is_refused_and_changes_nothing():
    async with browser() as alice:
        tab = await alice.open()
        queued = await ask(tab, "One", "r-1")
        await tab.say(type="message:edit", messageId=queued["messageId"], content="  ")
        error = (await tab.hear_until("error"))[-1]
        assert (error["code"], error["field"]) == ("invalid", "message")
        assert (await Message.objects.aget(pk=queued["messageId"])).content == "One"


async def test_a_failed_answer_tried_again_is_read_by_the_question_after_it(workers):
    workers.script(match="First", status=401, code="invalid_api_key")
    workers.script(match="First", text="Now it works.")
    async with browser() as alice:
        tab = await alice.open()
        first = await ask(tab, "First", "r-1")
        assert (await end_of(tab, first["jobId"]))["type"] == "chat:failed"
        await tab.say(type="job:retry", jobId=first["jobId"])
        second = await ask(tab, "Second", "r-2", threadId=first["threadId"])
        assert (await end_of(tab, second["jobId"]))["type"] == "chat:completed"
    assert "Now it works." in str(workers.requests[-1].json)
    assert await sync_to_async(Job.objects.filter(state="completed").count)() == 2


async def test_an_old_answer_tried_again_waits_for_what_runs_and_waits_in_its_thread(workers):
    workers.script(match="First", status=401, code="invalid_api_key")
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        first = await ask(tab, "First", "r-1")
        assert (await end_of(tab, first["jobId"]))["type"] == "chat:failed"
        second = await running_in(tab, workers, first["threadId"])
        workers.script(match="First", text="Now it works.")
        third = await ask(tab, "Third", "r-3", threadId=first["threadId"])
        for _ in range(2):
            await tab.say(type="job:retry", jobId=first["jobId"])
        again = (await tab.hear_until("chat:queued"))[-1]
        assert (again["jobId"], again["estimatedWait"]["reason"]) == (first["jobId"], "turn")
        assert (await tab.hear_until("error"))[-1]["code"] == "wrong_state", "once is enough"
        told = []
        while len(told) < 4:
            told.append((await other.hear_until("chat:queued"))[-1])
        assert [one["jobId"] for one in told] == [one["jobId"] for one in (first, second, third, first)], (
            "every tab is told of what waits, and why"
        )
        assert [one["estimatedWait"]["reason"] for one in told[2:]] == ["turn", "turn"]
        fourth = await ask(tab, "Fourth", "r-4", threadId=first["threadId"])
        await tab.say(type="job:cancel", jobId=second["jobId"])
        assert (await end_of(tab, fourth["jobId"]))["type"] == "chat:completed"
    ids = [one["jobId"] for one in (second, third, first, fourth)]
    jobs = [await Job.objects.aget(pk=job_id) for job_id in ids]
    assert all(a.finished_at <= b.started_at for a, b in itertools.pairwise(jobs))
    assert "Now it works." in str(workers.requests[-1].json)
