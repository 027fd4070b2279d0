"""An answer that breaks in the middle and fails: what was said stays, until a retry replaces it (K9)."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.accounts.pages import exporting
from chat.models import Message, Role, Thread
from queueing.api import Job
from tests.chat.browser import Browser, Tab, browser, file_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

HALF = "Take **tram 28** early"
INCOMPLETE = "This answer is incomplete."


async def broken_answer(workers, tab: Tab, **script: Any) -> dict[str, Any]:
    """Ask a question whose answer breaks off, also when it is tried again. Return the last event."""
    workers.script(match="Lisbon", text=HALF + " and", after=4, **({"end": "content_filter"} | script))
    await tab.ask("Lisbon?")
    return (await tab.receive_until("chat:failed", "chat:completed"))[-1]


async def conversation(alice: Browser, thread_id: str) -> list[dict[str, Any]]:
    return (await alice.client.get(f"/api/threads/{thread_id}")).json()["messages"]


@pytest.mark.parametrize("script", [{}, {"end": "cut"}, {"end": "error", "code": "server_error"}])
async def test_broken_answer_stays_and_is_marked_until_a_retry_replaces_it(workers, script):
    async with browser() as alice:
        tab = await alice.open()
        workers.script(match="second", text="Noted.")
        if script:
            # It breaks when its words were shown: those in a buffer are lost with the connection.
            half = {"text": HALF + " and", "after": 4, "pause_after": 4, "until": "shown"}
            workers.script(match="Lisbon", **half, **script)
            workers.script(match="Lisbon", status=401, code="invalid_api_key")
            await tab.ask("Lisbon?")
            said = ""
            while said != HALF:
                said += (await tab.receive_until("chat:delta"))[-1]["text"]
            workers.release("shown")
            failed = (await tab.receive_until("chat:failed", "chat:completed"))[-1]
        else:
            failed = await broken_answer(workers, tab)
        assert failed["type"] == "chat:failed"
        assert failed["text"] == HALF
        assert "<strong>tram 28</strong>" in failed["html"]
        thread_id = failed["threadId"]
        reply = (await conversation(alice, thread_id))[1]
        assert (reply["status"], reply["content"], reply["html"]) == ("failed", HALF, failed["html"])
        assert reply["incomplete"] is True
        transcript = await file_of(await alice.client.get(f"/api/threads/{thread_id}/transcript.md"))
        assert f"{HALF}\n\n*{INCOMPLETE}*" in transcript

        await tab.ask("And the second day?", request_id="r-2", threadId=thread_id)
        await tab.receive_until("chat:completed")
        assert HALF in str(workers.requests[-1].json["messages"])

        workers.script(match="Lisbon", text="Take tram 28 early and stay.")
        await tab.send_message(type="job:retry", jobId=failed["jobId"])
        await tab.receive_until("chat:completed")
        reply = (await conversation(alice, thread_id))[1]
        assert (reply["status"], reply["content"]) == ("completed", "Take tram 28 early and stay.")
        assert "incomplete" not in reply
        transcript = await file_of(await alice.client.get(f"/api/threads/{thread_id}/transcript.md"))
        assert INCOMPLETE not in transcript


async def test_broken_answer_is_marked_in_the_export_and_after_its_job_is_pruned(workers):
    async with browser() as alice:
        failed = await broken_answer(workers, await alice.open())
        archive = await sync_to_async(lambda: list(exporting._markdown(Thread.objects.get())))()
        assert f"{HALF}\n\n*{INCOMPLETE}*" in "".join(archive).replace("\n\n\n", "\n\n")
        as_json = await sync_to_async(lambda: "".join(exporting._thread_json(Thread.objects.get())))()
        assert '"incomplete": true' in as_json

        await Job.objects.all().adelete()
        reply = (await conversation(alice, failed["threadId"]))[1]
        assert (reply["status"], reply["error"], reply["canRetry"]) == ("failed", INCOMPLETE, False)
        assert reply["content"] == HALF


async def test_stopped_answer_is_marked_as_incomplete(workers):
    workers.script(text=" ".join(["word"] * 500), delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        heard = await tab.receive_until("chat:delta")
        await tab.send_message(type="job:cancel", jobId=heard[0]["jobId"])
        await tab.receive_until("chat:cancelled")
    assert (await Message.objects.aget(role=Role.ASSISTANT)).is_incomplete
