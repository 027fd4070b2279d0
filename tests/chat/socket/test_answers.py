"""Answers over the socket, from a real worker."""

import json

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message, Role
from chat.protocol import texts
from queueing.api import Job
from tests.chat.browser import browser, text_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_answer_streams_in_and_is_stored(workers):
    text = "Take **tram 28** early.\n\n- Alfama\n- Belém 🙂\n"
    workers.script(text=text, delay=0.02)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Three days in Lisbon?")
        events = await tab.receive_until("chat:completed", "chat:failed")
        assert events[0]["type"] == "chat:queued"
        assert sum(event["type"] == "chat:started" for event in events) == 1
        assert text_of(events) == text
        completed = events[-1]
        assert completed["response"] == text
        assert "<strong>tram 28</strong>" in completed["html"]
        assert completed["result"]["model"] == "scripted"
        assert {e.get("threadId") for e in events} == {events[0]["threadId"]}

        thread = (await alice.client.get(f"/api/threads/{completed['threadId']}")).json()
        reply = thread["messages"][1]
        assert (reply["status"], reply["content"], reply["html"]) == ("completed", text, completed["html"])


async def test_model_request_has_instructions_and_earlier_messages(workers):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("First question")
        thread_id = (await tab.receive_until("chat:completed"))[-1]["threadId"]
        await tab.ask("Second question", request_id="r-2", threadId=thread_id)
        await tab.receive_until("chat:completed")
    sent = json.dumps(workers.requests[-1].json)
    assert "You are the Travel companion" in sent
    assert sent.index("First question") < sent.index("You said") < sent.index("Second question")


async def test_tab_opened_during_an_answer_receives_all_of_it(workers):
    workers.script(text=" ".join(f"word{n}" for n in range(60)), delay=0.03)
    async with browser() as alice:
        first = await alice.open()
        await first.ask()
        heard = await first.receive_until("chat:delta")
        second = await alice.open()
        await second.send_message(type="job:watch", jobId=heard[0]["jobId"])
        complete = heard + await first.receive_until("chat:completed")
        late = await second.receive_until("chat:completed")
        # What `job:watch` brings and what is live may overlap: the offset says what is new.
        text = ""
        for event in late:
            if event["type"] == "chat:delta":
                assert event["offset"] <= len(text)
                text = text[: event["offset"]] + event["text"]
        assert text == text_of(complete) == complete[-1]["response"]


async def test_cancelled_answer_keeps_its_text(workers):
    workers.script(text=" ".join(["word"] * 500), delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        heard = await tab.receive_until("chat:delta")
        await tab.send_message(type="job:cancel", jobId=heard[0]["jobId"])
        cancelled = (await tab.receive_until("chat:cancelled"))[-1]
        assert cancelled["text"].startswith("word")
        reply = await Message.objects.aget(role=Role.ASSISTANT)
        assert reply.content == cancelled["text"]


@pytest.mark.parametrize(
    ("script", "code", "can_retry", "advice"),
    [
        ({"status": 401, "code": "invalid_api_key"}, "not_configured", False, texts.OPERATOR_MUST_ACT),
        ({"end": "content_filter"}, "content_filter", False, texts.CHANGE_MESSAGE),
        ({"text": "Half an", "end": "cut", "times": 3}, "cut_off", True, texts.TRY_AGAIN),
    ],
)
async def test_failed_answer_says_what_can_be_done_and_is_retried(workers, script, code, can_retry, advice):
    """K10: over the socket, after a reload, and of the job."""
    workers.script(**script)
    workers.script(text="Better now.")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        failed = (await tab.receive_until("chat:failed", "chat:completed"))[-1]
        assert failed["type"] == "chat:failed"
        assert (failed["code"], failed["canRetry"], failed["advice"]) == (code, can_retry, advice)
        assert failed["error"]
        job = (await alice.client.get(f"/api/jobs/{failed['jobId']}")).json()
        assert (job["code"], job["canRetry"], job["advice"]) == (code, can_retry, advice)
        path = f"/api/threads/{failed['threadId']}"
        reply = (await alice.client.get(path)).json()["messages"][1]
        assert (reply["status"], reply["error"]) == ("failed", failed["error"])
        assert (reply["canRetry"], reply["advice"]) == (can_retry, advice)

        await tab.send_message(type="job:retry", jobId=failed["jobId"])
        completed = (await tab.receive_until("chat:completed", "chat:failed"))[-1]
        assert completed["response"] == "Better now."
        reply = (await alice.client.get(path)).json()["messages"][1]
        assert (reply["status"], reply["content"]) == ("completed", "Better now.")
        assert "error" not in reply


async def test_thread_deleted_during_an_answer_leaves_no_rows(workers):
    workers.script(text=" ".join(["secret"] * 500), delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        heard = await tab.receive_until("chat:delta")
        await alice.client.delete(
            f"/api/threads/{heard[0]['threadId']}",
            headers={"X-CSRFToken": alice.client.cookies["csrftoken"].value},
        )
        await tab.receive_until("chat:cancelled")
    assert not await Message.objects.aexists()
    job = await Job.objects.aget()
    assert "secret" not in str(await sync_to_async(vars)(job))
