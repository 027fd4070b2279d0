"""The questions of a thread are answered one by one, in their order."""

import itertools

import pytest
from asgiref.sync import sync_to_async

from chat.conversations import questions
from chat.models import Message
from queueing.api import Job
from tests.chat.tabs import browser

from .asking import SLOW, ask, end_of, running, running_in, thread_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_the_next_question_waits_for_its_turn_and_survives_a_reload(workers):
    async with browser() as alice:
        tab = await alice.open()
        first = await running(tab, workers)
        second = await ask(tab, "Second", "r-2", threadId=first["threadId"])
        assert second["position"] is None
        assert second["estimatedWait"] == {"low": None, "high": None, "reason": "previous_message"}
        assert (await thread_of(alice, first["threadId"]))[2:] == [
            ("user", "Second", "waiting"),
            ("assistant", "", "waiting"),
        ]
        reloaded = await alice.open()
        await reloaded.say(type="job:watch", jobId=second["jobId"])
        heard = await reloaded.hear_until("chat:position")
        assert heard[-1]["estimatedWait"]["reason"] == "previous_message"
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
        assert (await Job.objects.aget(pk=third["jobId"])).unfinished_parents == 1
        assert [text for _, text, _ in await thread_of(alice, first["threadId"])] == [
            "First", "", "Third", "",
        ]  # fmt: skip
        await tab.say(type="job:cancel", jobId=first["jobId"])
        assert (await end_of(tab, third["jobId"]))["type"] == "chat:completed"


async def test_a_thread_takes_no_end_of_waiting_questions(monkeypatch):
    monkeypatch.setattr(questions, "MAX_WAITING", 2)
    async with browser() as alice:
        tab = await alice.open()
        first = await ask(tab, "One", "r-1")
        await ask(tab, "Two", "r-2", threadId=first["threadId"])
        third = await ask(tab, "Three", "r-3", threadId=first["threadId"])
        assert (third["type"], third["code"]) == ("chat:rejected", "owner_limit")
        assert await Message.objects.acount() == 4


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
        assert (again["jobId"], again["estimatedWait"]["reason"]) == (first["jobId"], "previous_message")
        assert (await tab.hear_until("error"))[-1]["code"] == "wrong_state", "once is enough"
        told = []
        while len(told) < 4:
            told.append((await other.hear_until("chat:queued"))[-1])
        assert [one["jobId"] for one in told] == [one["jobId"] for one in (first, second, third, first)], (
            "every tab is told of what waits, and why"
        )
        assert [one["estimatedWait"]["reason"] for one in told[2:]] == ["previous_message"] * 2
        fourth = await ask(tab, "Fourth", "r-4", threadId=first["threadId"])
        await tab.say(type="job:cancel", jobId=second["jobId"])
        assert (await end_of(tab, fourth["jobId"]))["type"] == "chat:completed"
    ids = [one["jobId"] for one in (second, third, first, fourth)]
    jobs = [await Job.objects.aget(pk=job_id) for job_id in ids]
    assert all(a.finished_at <= b.started_at for a, b in itertools.pairwise(jobs))
    assert "Now it works." in str(workers.requests[-1].json)
