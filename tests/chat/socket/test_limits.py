"""The limits of a socket to its client's messages and unread data."""

import json
from typing import Any

import pytest

from chat.socket import flow_control
from queueing.api import Job
from tests.chat.browser import Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

NOBODYS = "0" * 32


async def alive(tab: Tab) -> bool:
    await tab.send_message(type="ping", t="alive")
    return (await tab.receive_until("pong"))[-1]["t"] == "alive"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (" ", "bad_json"),
        ("{", "bad_json"),
        ("[" * 60_000, "bad_json"),
        ('{"type": "ping", "t": NaN}', "bad_json"),
        ('{"type": "ping", "t": "\\ud800"}', "invalid"),
        ("null", "bad_message"),
        ("42", "bad_message"),
        ("{}", "unknown_type"),
        ('{"type": ["ping"]}', "unknown_type"),
        ('{"type": "job:watch"}', "invalid"),
        ('{"type": "job:watch", "jobId": "' + NOBODYS + '", "offset": -1}', "invalid"),
        ('{"type": "job:watch", "jobId": "' + NOBODYS + '", "offset": 1e400}', "invalid"),
        ('{"type": "ping", "t": 1e400}', "invalid"),
        ('{"type": "pong", "t": "x"}', "invalid"),
        ('{"type": "chat:message", "requestId": "a b", "companion": "travel", "messages": []}', "invalid"),
        ('{"type": "job:cancel", "jobId": "' + NOBODYS + '"}', "not_found"),
        ('{"type": "message:withdraw", "messageId": "' + NOBODYS + '"}', "not_found"),
        ('{"type": "ping", "t": "' + "🙂" * 33_000 + '"}', "too_large"),
    ],
)
async def test_malformed_frame_is_answered_and_the_socket_stays_open(frame, code):
    async with browser() as alice:
        tab = await alice.open()
        await tab.send_to(text_data=frame)
        error = await tab.receive_event()
        assert (error["type"], error["code"]) == ("error", code)
        assert error["error"]
        assert await alive(tab)


async def test_question_with_half_surrogates_is_refused_over_http():
    async with browser() as alice:
        await alice.open()
        answer = await alice.call("post", "/api/travel", json.dumps({"message": "x\ud800"}))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert not await Job.objects.aexists()


@pytest.fixture
def patient(monkeypatch):
    """Refill nothing for 100 s, so that a slow machine does not change the result."""
    monkeypatch.setattr(flow_control, "MESSAGE_RATE", 0.01)


async def test_messages_beyond_the_burst_are_refused_with_the_wait(patient):
    async with browser() as alice:
        tab = await alice.open()
        for _ in range(30):
            await tab.send_message(type="job:cancel", jobId=NOBODYS)
        heard = [await tab.receive_event() for _ in range(30)]
        assert [event["code"] for event in heard] == ["not_found"] * 20 + ["too_many"] * 10
        assert all(60 < event["retryAfter"] <= 100 for event in heard[20:])


async def test_refused_question_creates_no_job(patient):
    async with browser() as alice:
        tab = await alice.open()
        for n in range(25):
            await tab.ask(f"Question {n}", f"r-{n}")
        heard = [await tab.receive_event() for _ in range(25)]
        refused = {event["requestId"] for event in heard if event["type"] == "error"}
        assert refused == {f"r-{n}" for n in range(20, 25)}
        assert {job.request_id async for job in Job.objects.all()} == {f"r-{n}" for n in range(20)}


@pytest.mark.parametrize("frame", ["{", '{"type": "chat:shout"}', '{"type": "ping"}', None])
async def test_client_that_repeats_errors_is_disconnected(frame):
    async with browser() as alice:
        tab = await alice.open()
        for _ in range(250):
            await tab.send_input({"type": "websocket.receive", "text": frame, "bytes": b"x"})
        assert await tab.receive_close_code() == 4008


async def test_reconnecting_tab_can_watch_all_its_jobs_at_once():
    async with browser() as alice:
        tab = await alice.open()
        for _ in range(60):
            await tab.send_message(type="job:watch", jobId=NOBODYS)
        assert {(await tab.receive_event())["code"] for _ in range(60)} == {"not_found"}


# --- clients that do not read ---------------------------------------------------------------------


class SilentTab(Tab):
    """A tab whose client does not answer `ping`, but records the numbers."""

    pings: list[int]

    async def receive_event(self, timeout: float = 10.0) -> dict[str, Any]:
        event = json.loads(await self.receive_from(timeout))
        if event["type"] == "ping":
            self.pings.append(event["t"])
        return event

    async def receive_all(self) -> list[dict[str, Any]]:
        """Return every event until no more arrives."""
        heard = []
        while not await self.receive_nothing(timeout=0.5):
            heard.append(await self.receive_event())
        return heard


@pytest.fixture
def small_window(monkeypatch: Any) -> None:
    monkeypatch.setattr(flow_control, "PING_EVERY", 500)
    monkeypatch.setattr(flow_control, "MAX_UNREAD", 3000)
    monkeypatch.setattr(flow_control, "RESUME_BELOW", 1000)


@pytest.mark.usefixtures("small_window")
async def test_tab_that_does_not_read_gets_nothing_until_it_acknowledges(workers):
    text = " ".join(f"word{n}" for n in range(400))
    workers.script(text=text, delay=0.01)
    async with browser() as alice:
        quick, slow = await alice.open(), await alice.open(SilentTab)
        slow.pings = []
        await quick.ask()
        queued = (await quick.receive_until("chat:queued"))[-1]
        assert (await quick.receive_until("chat:completed"))[-1]["response"] == text, "no client waits for it"

        heard = await slow.receive_all()
        assert not any(event["type"] == "chat:completed" for event in heard)
        size = sum(len(json.dumps(event, ensure_ascii=False)) for event in heard)
        assert size < flow_control.MAX_UNREAD + 1000

        await slow.send_message(type="pong", t=slow.pings[-1])
        completed = (await slow.receive_until("chat:completed"))[-1]
        assert (completed["jobId"], completed["response"]) == (queued["jobId"], text)


@pytest.mark.usefixtures("small_window")
async def test_tab_that_never_reads_is_closed(workers, monkeypatch):
    monkeypatch.setattr(flow_control, "READ_TIMEOUT", 0.5)
    workers.script(text=" ".join(["word"] * 400), delay=0.01)
    async with browser() as alice:
        slow = await alice.open(SilentTab)
        await slow.ask()
        assert await slow.receive_close_code(20) == 4408
