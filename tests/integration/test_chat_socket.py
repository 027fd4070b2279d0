"""The socket, whole, and where it says so with a real worker. Alice asks; Bob pries."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.security.websocket import AllowedHostsOriginValidator

from buddy.asgi import application, sockets
from chat.models import Message, Role
from queueing.errors import Rejected
from queueing.models import Job
from tests.integration.tabs import ORIGIN, Tab, browser, text_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

# --- the socket itself -----------------------------------------------------------------------------


async def test_hello_names_an_owner_but_no_session():
    async with browser() as alice:
        await alice.client.get("/")
        cookie = alice.client.cookies["sessionid"].value
        tab = Tab(application, "/ws/", headers=[ORIGIN, (b"cookie", f"sessionid={cookie}".encode())])
        await tab.connect(timeout=10)
        hello = await tab.hear()
        assert (hello["type"], hello["demo"]) == ("hello", False)
        assert cookie not in hello["owner"]
        await tab.disconnect()


async def test_another_sites_page_cannot_open_a_socket(settings):
    settings.ALLOWED_HOSTS = ["buddy.example.org"]
    guarded = AllowedHostsOriginValidator(sockets)
    for origin, allowed in [
        (b"https://buddy.example.org", True),
        (b"https://evil.example", False),
        (b"null", False),
        (None, False),
    ]:
        tab = Tab(guarded, "/ws/", headers=[(b"origin", origin)] if origin else [])
        assert (await tab.connect(timeout=10))[0] is allowed
        await tab.disconnect()


async def test_there_is_no_socket_elsewhere():
    tab = Tab(application, "/ws/elsewhere", headers=[ORIGIN])
    assert not (await tab.connect(timeout=10))[0]


async def test_whatever_is_wrong_with_a_frame_the_socket_lives_on():
    async with browser() as alice:
        tab = await alice.open()
        for frame, code in [
            ("{", "bad_json"),
            ("[]", "bad_message"),
            ('{"type": "chat:shout"}', "unknown_type"),
            ('{"type": "job:watch", "jobId": "x"}', "invalid"),
            (json.dumps({"type": "ping", "t": "x" * 70_000}), "too_large"),
        ]:
            await tab.send_to(text_data=frame)
            error = await tab.hear()
            assert (error["type"], error["code"]) == ("error", code)
        await tab.send_to(bytes_data=b"\x00\x01")
        assert (await tab.hear())["code"] == "binary"
        await tab.say(type="ping", t=42)
        assert await tab.hear() == {"type": "pong", "t": 42}


# --- asking, without a worker ----------------------------------------------------------------------


async def test_a_question_is_answered_with_its_place_exactly_once():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        queued = await tab.hear()
        job = await Job.objects.aget()
        assert queued["estimatedWait"]["reason"] == "workers"
        assert queued == {
            "type": "chat:queued",
            "jobId": job.id.hex,
            "requestId": "r-1",
            "threadId": queued["threadId"],
            "messageId": queued["messageId"],
            "replyId": queued["replyId"],
            "queue": "openai-chat",
            "position": 1,
            "estimatedWait": queued["estimatedWait"],
        }
        await tab.say(type="ping")
        assert (await tab.hear())["type"] == "pong"


async def test_the_same_request_again_is_queued_again_but_not_twice():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        first = await tab.hear()
        await tab.ask()
        assert await tab.hear() == first
        assert await Job.objects.acount() == 1


async def test_a_wrong_question_is_refused_by_field():
    async with browser() as alice:
        tab = await alice.open()
        for more, field in [
            ({"text": "  "}, "message"),
            ({"companion": "asst_1"}, "companion"),
            ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ]:
            await tab.ask(**more)
            error = await tab.hear()
            assert (error["code"], error["field"], error["requestId"]) == ("invalid", field, "r-1")
        assert not await Job.objects.aexists()


async def test_a_rejection_says_when_to_come_back(monkeypatch):
    def rejects(*_args: Any) -> None:
        raise Rejected("queue_full", "Full.", 5.0)

    monkeypatch.setattr("queueing.pressure.admit", rejects)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        assert await tab.hear() == {
            "type": "chat:rejected",
            "requestId": "r-1",
            "code": "queue_full",
            "error": "Full.",
            "retryAfter": 5.0,
        }


async def test_with_redis_away_a_question_is_kept_and_the_page_hears_why(valkey):
    async with browser() as alice:
        tab = await alice.open()
        valkey.stop()
        await tab.ask()
        queued = await tab.hear()
        assert (queued["type"], queued["position"]) == ("chat:queued", None)
        assert queued["estimatedWait"]["reason"] == "redis"
        assert await Job.objects.acount() == 1
        await tab.say(type="ping")
        assert (await tab.hear())["type"] == "pong"
        valkey.start()


async def test_what_breaks_is_told_without_details(monkeypatch):
    def breaks(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("chat.services.ask", breaks)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        error = await tab.hear()
        assert (error["code"], error["requestId"]) == ("server_error", "r-1")
        assert "secret" not in str(error)


async def test_each_of_alices_tabs_hears_and_bob_does_not():
    async with browser() as alice, browser() as bob:
        asking, watching, bobs = await alice.open(), await alice.open(), await bob.open()
        await asking.ask()
        queued = (await asking.hear_until("chat:queued"))[-1]
        assert (await watching.hear_until("chat:queued"))[-1]["jobId"] == queued["jobId"]

        for message in ("job:watch", "job:cancel", "job:retry"):
            await bobs.say(type=message, jobId=queued["jobId"])
            assert (await bobs.hear())["code"] == "not_found"
        await bobs.ask(threadId=queued["threadId"])
        assert (await bobs.hear())["code"] == "not_found"

        await asking.say(type="job:cancel", jobId=queued["jobId"])
        for tab in (asking, watching):
            assert (await tab.hear_until("chat:cancelled"))[-1]["text"] == ""
        assert await bobs.receive_nothing()


async def test_a_cancelled_job_can_be_retried_once():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        job_id = (await tab.hear())["jobId"]
        await tab.say(type="job:cancel", jobId=job_id)
        await tab.hear_until("chat:cancelled")
        await tab.say(type="job:retry", jobId=job_id)
        await tab.hear_until("chat:queued")
        await tab.say(type="job:retry", jobId=job_id)
        error = (await tab.hear_until("error"))[-1]
        assert (error["code"], error["error"]) == ("wrong_state", "Cannot retry a job that is waiting.")


# --- with a worker ---------------------------------------------------------------------------------


async def test_an_answer_streams_in_and_stays(workers):
    text = "Take **tram 28** early.\n\n- Alfama\n- Belém 🙂\n"
    workers.script(text=text, delay=0.02)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Three days in Lisbon?")
        events = await tab.hear_until("chat:completed", "chat:failed")
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


async def test_the_model_is_told_the_profile_and_what_was_said(workers):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("First question")
        thread_id = (await tab.hear_until("chat:completed"))[-1]["threadId"]
        await tab.ask("Second question", request_id="r-2", threadId=thread_id)
        await tab.hear_until("chat:completed")
    sent = json.dumps(workers.requests[-1].json)
    assert "You are the Travel companion" in sent
    assert sent.index("First question") < sent.index("You said") < sent.index("Second question")


async def test_a_tab_opened_mid_answer_misses_nothing(workers):
    workers.script(text=" ".join(f"word{n}" for n in range(60)), delay=0.03)
    async with browser() as alice:
        first = await alice.open()
        await first.ask()
        heard = await first.hear_until("chat:delta")
        second = await alice.open()
        await second.say(type="job:watch", jobId=heard[0]["jobId"])
        complete = heard + await first.hear_until("chat:completed")
        late = await second.hear_until("chat:completed")
        # What `job:watch` brings and what is live may overlap: the offset says what is new.
        text = ""
        for event in late:
            if event["type"] == "chat:delta":
                assert event["offset"] <= len(text)
                text = text[: event["offset"]] + event["text"]
        assert text == text_of(complete) == complete[-1]["response"]


async def test_cancelling_keeps_what_was_said(workers):
    workers.script(text=" ".join(["word"] * 500), delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        heard = await tab.hear_until("chat:delta")
        await tab.say(type="job:cancel", jobId=heard[0]["jobId"])
        cancelled = (await tab.hear_until("chat:cancelled"))[-1]
        assert cancelled["text"].startswith("word")
        reply = await Message.objects.aget(role=Role.ASSISTANT)
        assert reply.content == cancelled["text"]


async def test_a_failure_is_told_and_can_be_retried(workers):
    workers.script(status=401, code="invalid_api_key")
    workers.script(text="Better now.")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        failed = (await tab.hear_until("chat:failed", "chat:completed"))[-1]
        assert failed["type"] == "chat:failed"
        assert failed["canRetry"]
        assert failed["error"]
        path = f"/api/threads/{failed['threadId']}"
        reply = (await alice.client.get(path)).json()["messages"][1]
        assert (reply["status"], reply["content"], reply["error"]) == ("failed", "", failed["error"])

        await tab.say(type="job:retry", jobId=failed["jobId"])
        completed = (await tab.hear_until("chat:completed", "chat:failed"))[-1]
        assert completed["response"] == "Better now."
        reply = (await alice.client.get(path)).json()["messages"][1]
        assert (reply["status"], reply["content"]) == ("completed", "Better now.")
        assert "error" not in reply


async def test_a_thread_deleted_mid_answer_is_gone(workers):
    workers.script(text=" ".join(["secret"] * 500), delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        heard = await tab.hear_until("chat:delta")
        await alice.client.delete(
            f"/api/threads/{heard[0]['threadId']}",
            headers={"X-CSRFToken": alice.client.cookies["csrftoken"].value},
        )
        await tab.hear_until("chat:cancelled")
    assert not await Message.objects.aexists()
    job = await Job.objects.aget()
    assert "secret" not in str(await sync_to_async(vars)(job))
