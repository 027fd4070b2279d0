"""The socket itself, and what is asked over it."""

import json
from typing import Any

import pytest
from channels.security.websocket import AllowedHostsOriginValidator

from buddy.asgi import application, sockets
from queueing.api import Job, Rejected
from tests.chat.tabs import ORIGIN, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


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

    monkeypatch.setattr("queueing.limits.backpressure.admit", rejects)
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

    monkeypatch.setattr("chat.intake.submit_question", breaks)
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
