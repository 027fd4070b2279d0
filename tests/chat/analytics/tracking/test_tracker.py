"""Tracking: the API, do-not-track, and the cost of a call."""

import json
import time
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.utils import timezone

from buddy.asgi import application
from chat.analytics.tracking.tracker import track
from chat.models import Thread
from queueing.api import Job
from tests.chat.browser import PAGE, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def post(body: Any, *headers: tuple[bytes, bytes]) -> tuple[int, dict[str, Any]]:
    """Post to /api/analytics/track; return the status and the JSON body."""
    all_headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers]
    call = HttpCommunicator(
        application, "POST", "/api/analytics/track", body=json.dumps(body).encode(), headers=all_headers
    )
    answer = await call.get_response(timeout=10)
    return answer["status"], json.loads(answer["body"])


async def test_track_one_or_many_events_is_202_without_a_job(manual_tracker):
    assert await post({"name": "prompt.used", "companion": "travel", "properties": {"n": 1}}) == (
        202,
        {"accepted": 1},
    )
    assert await post({"events": [{"name": f"x:e{n}"} for n in range(50)]}) == (202, {"accepted": 50})
    assert len(manual_tracker._buffer) == 51
    assert await Job.objects.acount() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "reply.completed"}, "name"),
        ({"name": "x:a", "events": [{"name": "x:b"}]}, "name"),
        ({"events": []}, "events"),
        ({"events": [{"name": "x:a"}] * 51}, "events"),
        ({"events": [{"name": "x:a"}, {"name": "Ada"}]}, "events.1.name"),
        ({"name": "x:a", "companion": "unknown"}, "companion"),
        ({"name": "x:a", "properties": {"deep": {"er": 1}}}, "properties.deep"),
        ({"events": [{"name": "x:a", "properties": {"text": "x" * 65}}]}, "events.0.properties.text"),
    ],
)
async def test_track_invalid_event_is_422_and_stores_nothing(manual_tracker, body, field):
    status, problem = await post(body)
    assert (status, problem["code"]) == (422, "invalid")
    assert problem["field"].startswith(field)
    assert not manual_tracker._buffer


async def test_track_event_of_a_removed_companion_counts_for_it(manual_tracker):
    """P24: its conversations are still opened. What never was a companion is refused."""
    await Thread.objects.acreate(owner="s:ada", companion="garden", updated_at=timezone.now())
    opened = {"name": "thread.opened", "companion": "garden"}
    assert await post({"events": [opened, {"name": "x:a", "companion": "travel"}]}) == (202, {"accepted": 2})
    assert [event.companion for event in manual_tracker._buffer] == ["garden", "travel"]
    assert (await post({"events": [opened, {"name": "x:a", "companion": "gardens"}]}))[0] == 422
    assert len(manual_tracker._buffer) == 2


@pytest.mark.parametrize("header", [(b"dnt", b"1"), (b"sec-gpc", b"1")])
async def test_track_with_do_not_track_is_202_and_stores_nothing(manual_tracker, header):
    from django.contrib.sessions.models import Session

    assert await post({"name": "x:a"}, header) == (202, {"accepted": 0})
    assert not manual_tracker._buffer
    assert not await Session.objects.aexists()
    assert (await post({"name": "y"}, header))[0] == 422, "invalid events are still refused"


@pytest.mark.parametrize("header", [(b"x-other", b"1"), (b"dnt", b"1")])
async def test_socket_with_do_not_track_tracks_without_visitor(manual_tracker, header):
    async with browser() as alice:
        await alice.client.get("/")
        cookie = f"sessionid={alice.client.cookies['sessionid'].value}".encode()
        manual_tracker._buffer.clear()
        tab = Tab(application, "/ws/", headers=[*PAGE, (b"cookie", cookie), header])
        await tab.connect(timeout=10)
        await tab.ask()
        await tab.receive_until("chat:queued")
        await tab.disconnect()
    (sent,) = manual_tracker._buffer
    assert (sent.name, sent.companion) == ("message.sent", "travel")
    assert bool(sent.owner) == (header[0] != b"dnt")


async def test_track_with_analytics_off_stores_nothing(manual_tracker, settings):
    settings.ANALYTICS_DAYS = 0
    track("page.opened", owner="s:ada")
    assert await post({"name": "x:a"}) == (202, {"accepted": 0})
    assert not manual_tracker._buffer


def test_track_costs_microseconds(manual_tracker):
    best = min(_timed(lambda: track("message.sent", owner="s:ada", companion="travel")) for _ in range(2000))
    assert best < 50e-6


def _timed(act: Any) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
