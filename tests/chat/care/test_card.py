"""The help card over HTTP and on the socket, also when other parts fail."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from chat.care.models import CareCount
from queueing.api import Job, pause
from tests.chat.browser import Browser, browser
from tests.support.valkey import point_at

pytestmark = pytest.mark.django_db(transaction=True)

CRISIS = "I want to kill myself"


async def post_message(
    alice: Browser, text: str = CRISIS, companion: str = "emotional", **headers: str
) -> Any:
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/")
    token = alice.client.cookies["csrftoken"].value
    return await alice.client.post(
        f"/api/{companion}",
        {"message": text},
        content_type="application/json",
        headers={"X-CSRFToken": token, **headers},
    )


@pytest.mark.parametrize("companion", ["emotional", "travel"])
async def test_crisis_message_gets_help_lines_in_the_same_response(valkey, companion):
    async with browser() as alice:
        response = await post_message(
            alice, companion=companion, **{"Accept-Language": "de-AT,de;q=0.8,en;q=0.5"}
        )
        care = response.json()["care"]
        assert (response.status_code, care["level"], care["country"]) == (202, "danger", "AT")
        assert {"label": "Call 142", "url": "tel:142"} in care["lines"][0]["ways"]
        assert care["emergency"]["url"] == "tel:112"


async def test_everyday_message_has_no_card(valkey):
    async with browser() as alice:
        assert "care" not in (await post_message(alice, "I'm dying to see Rome.")).json()


async def test_chosen_country_wins_over_browser_language(valkey):
    async with browser() as alice:
        alice.client.cookies["care_country"] = "NZ"
        response = await post_message(alice, **{"Accept-Language": "en-US"})
        assert response.json()["care"]["country"] == "NZ"


async def test_socket_sends_the_card_before_queued(valkey):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Ich will nicht mehr leben", "r-1")
        card, *_, queued = await tab.receive_until("chat:queued")
        assert (card["type"], card["requestId"], card["language"]) == ("care:help", "r-1", "de")
        assert card["title"].startswith("Gut, dass du das sagst")
        assert queued["requestId"] == "r-1"


async def test_paused_queue_does_not_delay_the_card(valkey):
    await sync_to_async(pause)("openai-chat")
    async with browser() as alice:
        assert (await post_message(alice)).json()["care"]["level"] == "danger"
        tab = await alice.open()
        await tab.ask(CRISIS, "r-2")
        assert (await tab.receive_event())["type"] == "care:help"


async def test_full_queue_refuses_the_message_with_the_card(valkey, settings):
    queues = settings.QUEUEING["QUEUES"]
    full = queues["openai-chat"] | {"hard_limit": 1, "soft_limit": 1}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": queues | {"openai-chat": full}}
    async with browser() as alice:
        await post_message(alice, "Hello")
        refused = await post_message(alice)
        assert refused.status_code in (429, 503)
        assert refused["Content-Type"] == "application/problem+json"
        assert refused.json()["care"]["level"] == "danger"
        tab = await alice.open()
        await tab.ask(CRISIS, "r-3", companion="emotional")
        heard = await tab.receive_until("chat:rejected")
        assert [event["type"] for event in heard][-2:] == ["care:help", "chat:rejected"]


async def test_invalid_message_is_refused_with_the_card(valkey):
    async with browser() as alice:
        refused = await post_message(alice, f"{CRISIS} \x00")
        assert (refused.status_code, refused.json()["care"]["level"]) == (422, "danger")


async def test_redis_unavailable_shows_the_card_and_keeps_the_message(settings):
    point_at(settings, "redis://127.0.0.1:1/0")
    async with browser() as alice:
        response = await post_message(alice)
        assert (response.status_code, response.json()["care"]["level"]) == (202, "danger")
        assert await Job.objects.acount() == 1


async def test_failed_count_does_not_hide_the_card(valkey, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("the database is unavailable")

    monkeypatch.setattr(CareCount.objects, "get_or_create", fail)
    async with browser() as alice:
        assert (await post_message(alice)).json()["care"]["level"] == "danger"


async def test_cards_are_counted_by_day_companion_and_level_only(valkey):
    async with browser() as alice:
        await post_message(alice)
        await post_message(alice, "I can't go on like this")
        await post_message(alice, "I can't go on like this")
        tab = await alice.open()
        await tab.ask(CRISIS, "r-4", companion="x" * 32)  # a client's text must not be stored
        await tab.receive_until("error")
    counts = {
        (c.companion, c.level): c.shown async for c in CareCount.objects.filter(day=timezone.localdate())
    }
    assert counts == {("emotional", "danger"): 1, ("emotional", "concern"): 2, ("", "danger"): 1}
    assert {field.name for field in CareCount._meta.fields} == {"id", "day", "companion", "level", "shown"}


async def test_conversation_shows_its_card_after_reload(valkey):
    async with browser() as alice:
        first = (await post_message(alice)).json()
        body = {"message": "Thank you.", "threadId": first["threadId"]}
        await alice.call("post", "/api/emotional", json.dumps(body))
        thread = (await alice.client.get(f"/api/threads/{first['threadId']}")).json()
        assert thread["care"]["messageId"] == first["messageId"]
        assert thread["care"]["level"] == "danger"


async def test_edited_message_is_screened(valkey):
    async with browser() as alice:
        first = (await post_message(alice, "Hello")).json()
        body = json.dumps({"content": CRISIS})
        edited = await alice.call("patch", f"/api/messages/{first['messageId']}", body)
        assert edited.json()["care"]["level"] == "danger"


async def test_help_lines_of_a_country_need_no_session():
    async with browser() as alice:
        answer = (await alice.client.get("/api/care?country=fr")).json()
        assert answer["care"]["lines"][0]["number"] == "3114"
        assert {"code": "BE", "name": "België · Belgique"} in answer["countries"]


async def test_model_gets_instructions_for_five_messages(workers):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Where is Rome?", "r-0", companion="emotional")
        thread = (await tab.receive_until("chat:completed"))[-1]["threadId"]
        for number, text in enumerate([CRISIS, "Thank you.", *["Tell me of Rome."] * 4]):
            await tab.ask(text, f"r-{number + 1}", companion="emotional", threadId=thread)
            await tab.receive_until("chat:completed")
    sent = [str(request.json) for request in workers.requests]
    replies = [text for text in sent if "You are the Emotional companion" in text]  # and no title
    instructed = ["Important for this answer" in text for text in replies]
    assert instructed == [False, True, True, True, True, True, False]
