"""P5: the connection over HTTP carries what the WebSocket carries: one stream, and messages by POST."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from django.contrib.sessions.models import Session

from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.access.sessions.store import SessionStore
from chat.protocol import sse
from chat.socket import flow_control, http_wire
from queueing.api import Job
from queueing.api.events import PressureWatch
from tests.chat.browser import Browser, browser, text_of
from tests.support.valkey import eventually

from .http_tab import HttpTab

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

TEXT = "One two three four five six seven, éight 🙂 nine and ten."


@pytest.fixture
async def alice() -> AsyncIterator[Browser]:
    async with browser() as one:
        yield one


@pytest.fixture
async def tab(alice: Browser) -> AsyncIterator[HttpTab]:
    one = HttpTab(alice)
    hello = await one.open()
    assert hello["type"] == "hello"
    yield one
    await one.disconnect()
    assert not http_wire._streams
    assert not OpenSockets.for_running_loop().members
    assert not PressureWatch.for_running_loop().members


async def test_question_by_post_is_answered_in_the_stream_once(workers, tab, alice):
    workers.script(text=TEXT, delay=0.02)
    await tab.ask()
    heard = await tab.receive_until("chat:completed")
    assert tab.answered == []
    assert [event["type"] for event in heard].count("chat:queued") == 1
    assert text_of(heard) == TEXT
    assert heard[-1]["html"] == f"<p>{TEXT}</p>\n"
    assert await Session.objects.acount() == 1, "the visitor is kept with the first message"


async def test_stream_resumes_at_the_offset_that_the_client_has(workers, tab, alice):
    workers.script(text=TEXT, pause_after=20, until="the second stream has begun")
    await tab.ask()
    started = (await tab.receive_until("chat:delta"))[-1]
    second = HttpTab(alice)
    await second.open()
    await second.send_message(type="job:watch", jobId=started["jobId"], run=1, offset=4)
    resumed = (await second.receive_until("chat:delta"))[-1]
    assert resumed["offset"] == 4
    workers.release("the second stream has begun")
    end = (await second.receive_until("chat:completed"))[-1]
    assert end["response"] == TEXT
    await second.disconnect()


async def test_messages_to_a_stream_of_another_process_reach_it(tab, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(http_wire, "_streams", {})
        await tab.send_message(type="ping", t="over Redis")
    assert (await tab.receive_until("pong"))[-1]["t"] == "over Redis"


async def test_messages_to_the_stream_of_another_visitor_do_nothing(tab, monkeypatch):
    async with browser() as bob:
        other = HttpTab(bob)
        await other.open()
        await other.post({"type": "ping", "t": "not mine"}, stream=tab.stream)
        with monkeypatch.context() as patch:
            patch.setattr(http_wire, "_streams", {})
            await other.post({"type": "ping", "t": "not mine, over Redis"}, stream=tab.stream)
        await tab.send_message(type="ping", t="mine")
        assert (await tab.receive_event())["t"] == "mine"
        await other.disconnect()


async def test_posts_without_a_stream_are_answered_at_once(workers, alice):
    """A proxy that holds back what is streamed: the page asks again and again for the state."""
    workers.script(text=TEXT, pause_after=20, until="polled")
    tab = HttpTab(alice)
    await alice.client.get("/")
    assert [event["type"] for event in (await tab.post()).json()["events"]] == ["hello"]
    assert not await Session.objects.aexists(), "who only looks is not stored"
    question = {"type": "chat:message", "requestId": "r-1", "companion": "travel"}
    asked = await tab.post(question | {"messages": [{"role": "user", "content": "Hi"}]})
    queued = next(event for event in asked.json()["events"] if event["type"] == "chat:queued")

    async def polled(wanted: str) -> dict:
        while True:
            answer = await tab.post({"type": "job:watch", "jobId": queued["jobId"], "run": 1, "offset": 4})
            for event in answer.json()["events"]:
                if event["type"] == wanted:
                    return event
            await asyncio.sleep(0.05)

    async with asyncio.timeout(20):
        assert (await polled("chat:delta"))["offset"] == 4
        workers.release("polled")
        assert (await polled("chat:completed"))["response"] == TEXT


async def test_post_without_redis_is_answered_by_itself(valkey, tab, monkeypatch):
    valkey.stop()
    with monkeypatch.context() as patch:
        patch.setattr(http_wire, "_streams", {})
        await tab.ask()
    (queued,) = [event for event in tab.answered if event["type"] == "chat:queued"]
    assert queued["estimatedWait"]["reason"] == "redis"
    assert await Job.objects.acount() == 1
    valkey.start()


async def test_longest_question_in_any_script_fits_into_a_post(tab):
    await tab.ask("漢" * 20_000)
    await tab.receive_until("chat:queued")
    await tab.ask("half a pair: \ud800", "r-2")
    assert (await tab.receive_until("error"))[-1]["code"] in ("bad_json", "invalid")


async def test_wrong_messages_are_refused_with_the_errors_of_the_socket(tab):
    for message, code in [({}, "unknown_type"), ({"type": "job:watch"}, "invalid")]:
        await tab.send_message(**message)
        assert (await tab.receive_event())["code"] == code
    for body in ({"messages": [{}] * 21}, {"messages": [], "stream": "../"}, {"messages": "x"}):
        answer = await tab.browser.call("post", "/api/connection", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_client_that_repeats_errors_loses_its_stream(tab):
    for _ in range(30):
        await tab.send_message(type="nonsense")
    assert (await tab.receive_until("close"))[-1]["code"] == 4008
    assert await tab.receive_piece() is None


async def test_stream_ends_with_its_session_and_says_so(tab, monkeypatch):
    await tab.ask()
    await tab.receive_until("chat:queued")
    monkeypatch.setattr(OpenSockets, "every", 0.1)
    key = tab.browser.client.cookies["sessionid"].value
    await eventually(Session.objects.exists, "the session to be stored")
    await SessionStore(key).adelete(key)
    assert (await tab.receive_until("close"))[-1]["code"] == 4401


async def test_stream_that_is_not_read_is_closed(workers, alice, monkeypatch):
    monkeypatch.setattr(flow_control, "PING_EVERY", 500)
    monkeypatch.setattr(flow_control, "MAX_UNREAD", 3000)
    monkeypatch.setattr(flow_control, "RESUME_BELOW", 1000)
    monkeypatch.setattr(flow_control, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(OpenSockets, "every", 0.1)
    workers.script(text=" ".join(["word"] * 400), delay=0.005)
    tab = HttpTab(alice)
    await tab.open()
    await tab.ask()
    size, last = 0, b""
    async with asyncio.timeout(20):
        while (piece := await tab.receive_piece()) is not None:  # the pings are not answered
            size, last = size + len(piece), piece
    assert json.loads(last.removeprefix(b"data: ")) == {"type": "close", "code": 4408}
    assert size < 3000 + 1500


async def test_stream_without_events_sends_comments(tab, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.05)
    while await tab.receive_piece() != b": still here\n\n":
        pass
