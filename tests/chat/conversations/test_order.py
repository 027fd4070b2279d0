"""The questions of a thread are answered one by one, in order."""

import itertools

import pytest
from asgiref.sync import sync_to_async

from chat.conversations import questions
from chat.models import Message
from queueing.api import Job
from tests.chat.browser import browser

from .thread_steps import (
    SLOW,
    read_thread,
    send_question,
    start_slow_answer,
    start_slow_follow_up,
    wait_for_end,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_next_question_waits_for_the_previous_one_also_after_a_reload(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await start_slow_answer(tab, workers)
        second = await send_question(tab, "Second", "r-2", threadId=first["threadId"])
        assert second["position"] is None
        assert second["estimatedWait"] == {"low": None, "high": None, "reason": "previous_message"}
        assert (await read_thread(alice, first["threadId"]))[2:] == [
            ("user", "Second", "waiting"),
            ("assistant", "", "waiting"),
        ]
        reloaded = await alice.open()
        await reloaded.send_message(type="job:watch", jobId=second["jobId"])
        heard = await reloaded.receive_until("chat:position")
        assert heard[-1]["estimatedWait"]["reason"] == "previous_message"
        assert len(workers.requests) == 1


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
async def test_next_question_runs_after_every_outcome_of_the_previous_one(workers, how):
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
        first = await send_question(tab, "First", "r-1")
        second = await send_question(tab, "Second", "r-2", threadId=first["threadId"])
        third = await send_question(tab, "Third", "r-3", threadId=first["threadId"])
        if how == "cancelled":
            await tab.receive_until("chat:delta")
            await tab.send_message(type="job:cancel", jobId=first["jobId"])
        assert (await wait_for_end(tab, first["jobId"]))["type"] == f"chat:{how}"
        assert (await wait_for_end(tab, second["jobId"]))["response"] == "Second answer."
        assert (await wait_for_end(tab, third["jobId"]))["response"] == "Third answer."
    jobs = [await Job.objects.aget(pk=queued["jobId"]) for queued in (first, second, third)]
    assert jobs[0].finished_at <= jobs[1].started_at < jobs[1].finished_at <= jobs[2].started_at


async def test_withdrawn_question_does_not_change_the_order(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await start_slow_answer(tab, workers)
        second = await send_question(tab, "Second", "r-2", threadId=first["threadId"])
        third = await send_question(tab, "Third", "r-3", threadId=first["threadId"])
        await tab.send_message(type="message:withdraw", messageId=second["messageId"])
        removed = (await tab.receive_until("thread:removed"))[-1]
        assert set(removed["messageIds"]) == {second["messageId"], second["replyId"]}
        assert (await Job.objects.aget(pk=third["jobId"])).unfinished_parents == 1
        assert [text for _, text, _ in await read_thread(alice, first["threadId"])] == [
            "First", "", "Third", "",
        ]  # fmt: skip
        await tab.send_message(type="job:cancel", jobId=first["jobId"])
        assert (await wait_for_end(tab, third["jobId"]))["type"] == "chat:completed"


async def test_thread_refuses_too_many_waiting_questions(monkeypatch):
    monkeypatch.setattr(questions, "MAX_WAITING", 2)
    async with browser() as alice:
        tab = await alice.open()
        first = await send_question(tab, "One", "r-1")
        await send_question(tab, "Two", "r-2", threadId=first["threadId"])
        third = await send_question(tab, "Three", "r-3", threadId=first["threadId"])
        assert (third["type"], third["code"]) == ("chat:rejected", "owner_limit")
        assert await Message.objects.acount() == 4


async def test_retried_answer_is_in_the_prompt_of_the_next_question(workers):
    workers.script(match="First", status=401, code="invalid_api_key")
    workers.script(match="First", text="Now it works.")
    async with browser() as alice:
        tab = await alice.open()
        first = await send_question(tab, "First", "r-1")
        assert (await wait_for_end(tab, first["jobId"]))["type"] == "chat:failed"
        await tab.send_message(type="job:retry", jobId=first["jobId"])
        second = await send_question(tab, "Second", "r-2", threadId=first["threadId"])
        assert (await wait_for_end(tab, second["jobId"]))["type"] == "chat:completed"
    assert "Now it works." in str(workers.requests[-1].json)
    assert await sync_to_async(Job.objects.filter(state="completed").count)() == 2


async def test_retried_old_answer_waits_for_unfinished_questions(workers):
    workers.script(match="First", status=401, code="invalid_api_key")
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        first = await send_question(tab, "First", "r-1")
        assert (await wait_for_end(tab, first["jobId"]))["type"] == "chat:failed"
        second = await start_slow_follow_up(tab, workers, first["threadId"])
        workers.script(match="First", text="Now it works.")
        third = await send_question(tab, "Third", "r-3", threadId=first["threadId"])
        for _ in range(2):
            await tab.send_message(type="job:retry", jobId=first["jobId"])
        again = (await tab.receive_until("chat:queued"))[-1]
        assert (again["jobId"], again["estimatedWait"]["reason"]) == (first["jobId"], "previous_message")
        assert (await tab.receive_until("error"))[-1]["code"] == "wrong_state", "once is enough"
        told = []
        while len(told) < 4:
            told.append((await other.receive_until("chat:queued"))[-1])
        assert [one["jobId"] for one in told] == [one["jobId"] for one in (first, second, third, first)], (
            "every tab is told of what waits, and why"
        )
        assert [one["estimatedWait"]["reason"] for one in told[2:]] == ["previous_message"] * 2
        fourth = await send_question(tab, "Fourth", "r-4", threadId=first["threadId"])
        await tab.send_message(type="job:cancel", jobId=second["jobId"])
        assert (await wait_for_end(tab, fourth["jobId"]))["type"] == "chat:completed"
    ids = [one["jobId"] for one in (second, third, first, fourth)]
    jobs = [await Job.objects.aget(pk=job_id) for job_id in ids]
    assert all(a.finished_at <= b.started_at for a, b in itertools.pairwise(jobs))
    assert "Now it works." in str(workers.requests[-1].json)
