"""The handshake of the socket, its frames, and questions over it."""

import asyncio
import json
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import connection

from buddy.asgi import application, sockets
from chat.accounts.access.middleware.websockets import OriginOrToken
from chat.accounts.access.open_sockets import OpenSockets
from queueing.api import Job
from queueing.api.events import PressureWatch
from queueing.api.sockets import in_thread
from queueing.events import delivery
from queueing.testing import rejecting
from tests.chat.browser import PAGE, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_hello_has_the_owner_but_no_session_key():
    async with browser() as alice:
        await alice.client.get("/")
        cookie = alice.client.cookies["sessionid"].value
        tab = Tab(application, "/ws/", headers=[*PAGE, (b"cookie", f"sessionid={cookie}".encode())])
        await tab.connect(timeout=10)
        hello = await tab.receive_event()
        assert (hello["type"], hello["demo"]) == ("hello", False)
        assert cookie not in hello["owner"]
        await tab.disconnect()


@pytest.mark.parametrize(
    ("origin", "host", "opens"),
    [
        (b"http://buddy.example.org", b"buddy.example.org", True),
        (b"http://buddy.example.org:8000", b"buddy.example.org:8000", True),
        (b"https://buddy.example.org", b"10.0.0.7:8000", True),  # CLIENT_URL, behind a proxy
        (b"https://buddy.example.org", b"buddy.example.org", True),
        (b"http://buddy.example.org:1337", b"buddy.example.org", False),
        (b"https://evil.example", b"buddy.example.org", False),
        (b"http://evil.example", b"evil.example", False),  # a name that leads here, but is not ours
        (b"http://buddy.example.org.evil.example", b"buddy.example.org", False),
        (b"null", b"buddy.example.org", False),
        (None, b"buddy.example.org", False),
    ],
)
async def test_socket_origin_is_compared_as_a_whole(settings, origin, host, opens):
    """Scheme, host and port (S7)."""
    settings.ALLOWED_HOSTS = ["buddy.example.org"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://buddy.example.org"]
    origins = [(b"origin", origin)] if origin else []
    tab = Tab(OriginOrToken(sockets), "/ws/", headers=[(b"host", host), *origins])
    assert (await tab.connect(timeout=10))[0] is opens
    await tab.disconnect()


@pytest.mark.parametrize(("forwarded", "opens"), [(b"https", True), (b"http", False), (None, False)])
async def test_socket_scheme_is_that_of_the_proxy(settings, forwarded, opens):
    settings.ALLOWED_HOSTS = ["buddy.example.org"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = [(b"host", b"buddy.example.org"), (b"origin", b"https://buddy.example.org")]
    if forwarded:
        headers.append((b"x-forwarded-proto", forwarded))
    tab = Tab(OriginOrToken(sockets), "/ws/", headers=headers)
    assert (await tab.connect(timeout=10))[0] is opens
    await tab.disconnect()


async def test_socket_at_another_path_is_refused():
    tab = Tab(application, "/ws/elsewhere", headers=PAGE)
    assert not (await tab.connect(timeout=10))[0]


async def test_invalid_frame_is_answered_and_the_socket_stays_open():
    async with browser() as alice:
        tab = await alice.open()
        for frame, code in [
            ("{", "bad_json"),
            ("[]", "bad_message"),
            ('{"type": "chat:shout"}', "unknown_type"),
            ('{"type": "job:watch", "jobId": "x"}', "invalid"),
            (json.dumps({"type": "ping", "t": "x" * 140_000}), "too_large"),
        ]:
            await tab.send_to(text_data=frame)
            error = await tab.receive_event()
            assert (error["type"], error["code"]) == ("error", code)
        await tab.send_to(bytes_data=b"\x00\x01")
        assert (await tab.receive_event())["code"] == "binary"
        await tab.send_message(type="ping", t=42)
        assert await tab.receive_event() == {"type": "pong", "t": 42}


async def test_question_is_answered_with_one_queued_event():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        queued = await tab.receive_event()
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
        await tab.send_message(type="ping")
        assert (await tab.receive_event())["type"] == "pong"


async def test_repeated_request_id_gets_the_same_answer_and_no_second_job():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        first = await tab.receive_event()
        await tab.ask()
        assert await tab.receive_event() == first
        assert await Job.objects.acount() == 1


async def test_invalid_question_is_refused_with_its_field():
    async with browser() as alice:
        tab = await alice.open()
        for more, field in [
            ({"text": "  "}, "message"),
            ({"companion": "asst_1"}, "companion"),
            ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ]:
            await tab.ask(**more)
            error = await tab.receive_event()
            assert (error["code"], error["field"], error["requestId"]) == ("invalid", field, "r-1")
        assert not await Job.objects.aexists()


async def test_full_queue_is_rejected_with_retry_after():
    async with browser() as alice:
        tab = await alice.open()
        with rejecting(message="Full.", retry_after=5.0):
            await tab.ask()
            assert await tab.receive_event() == {
                "type": "chat:rejected",
                "requestId": "r-1",
                "code": "queue_full",
                "error": "Full.",
                "retryAfter": 5.0,
            }


async def test_question_without_redis_is_stored_and_the_wait_has_the_reason(valkey):
    async with browser() as alice:
        tab = await alice.open()
        valkey.stop()
        await tab.ask()
        queued = await tab.receive_event()
        assert (queued["type"], queued["position"]) == ("chat:queued", None)
        assert queued["estimatedWait"]["reason"] == "redis"
        assert await Job.objects.acount() == 1
        await tab.send_message(type="ping")
        assert (await tab.receive_event())["type"] == "pong"
        valkey.start()


async def test_unexpected_error_is_reported_without_details(monkeypatch):
    def breaks(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("chat.intake.submit_question", breaks)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        error = await tab.receive_event()
        assert (error["code"], error["requestId"]) == ("server_error", "r-1")
        assert "secret" not in str(error)


async def test_events_reach_each_tab_of_the_owner_and_no_other_visitor():
    async with browser() as alice, browser() as bob:
        asking, watching, bobs = await alice.open(), await alice.open(), await bob.open()
        await asking.ask()
        queued = (await asking.receive_until("chat:queued"))[-1]
        assert (await watching.receive_until("chat:queued"))[-1]["jobId"] == queued["jobId"]

        for message in ("job:watch", "job:cancel", "job:retry"):
            await bobs.send_message(type=message, jobId=queued["jobId"])
            assert (await bobs.receive_event())["code"] == "not_found"
        await bobs.ask(threadId=queued["threadId"])
        assert (await bobs.receive_event())["code"] == "not_found"

        await asking.send_message(type="job:cancel", jobId=queued["jobId"])
        for tab in (asking, watching):
            assert (await tab.receive_until("chat:cancelled"))[-1]["text"] == ""
        assert await bobs.receive_nothing()


async def test_cancelled_job_can_be_retried_once():
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        job_id = (await tab.receive_event())["jobId"]
        await tab.send_message(type="job:cancel", jobId=job_id)
        await tab.receive_until("chat:cancelled")
        await tab.send_message(type="job:retry", jobId=job_id)
        await tab.receive_until("chat:queued")
        await tab.send_message(type="job:retry", jobId=job_id)
        error = (await tab.receive_until("error"))[-1]
        assert (error["code"], error["error"]) == ("wrong_state", "Cannot retry a job that is waiting.")


def rename_jobs(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


async def test_socket_that_cannot_handle_an_event_ends_and_leaves_nothing_behind():
    """D3, for sockets: Channels does not call `disconnect` for a consumer that raised."""
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        event = (await tab.receive_until("chat:queued"))[-1]
        owner = (await in_thread(Job.objects.get)(pk=event["jobId"])).owner
        await in_thread(rename_jobs)("queueing_job", "away")
        gap = {
            "type": "chat:delta",
            "jobId": event["jobId"],
            "run": 1,
            "attempt": 1,
            "offset": 9,
            "text": "x",
        }
        await delivery.emit(owner, gap)
        try:
            await asyncio.wait([tab.future], timeout=20)
            with pytest.raises(DatabaseError):
                await tab.receive_until("chat:delta")
        finally:
            await in_thread(rename_jobs)("away", "queueing_job")
            alice.tabs.pop_all()  # its tab has ended with that error
        assert not OpenSockets.for_running_loop().members
        assert not PressureWatch.for_running_loop().members
