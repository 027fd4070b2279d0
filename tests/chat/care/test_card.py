"""Help is shown at once, whatever else works or does not: over HTTP and on the socket."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from chat.care.models import CareCount
from queueing.api import Job, pause
from tests.chat.tabs import Browser, browser
from tests.support.valkey import point_at

pytestmark = pytest.mark.django_db(transaction=True)

CRY = "I want to kill myself"


async def posted(alice: Browser, text: str = CRY, companion: str = "emotional", **headers: str) -> Any:
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
async def test_a_cry_for_help_is_answered_with_help_lines_in_the_same_response(valkey, companion):
    async with browser() as alice:
        response = await posted(alice, companion=companion, **{"Accept-Language": "de-AT,de;q=0.8,en;q=0.5"})
        care = response.json()["care"]
        assert (response.status_code, care["level"], care["country"]) == (202, "danger", "AT")
        assert {"label": "Call 142", "url": "tel:142"} in care["lines"][0]["ways"]
        assert care["emergency"]["url"] == "tel:112"


async def test_everyday_talk_is_answered_without_it(valkey):
    async with browser() as alice:
        assert "care" not in (await posted(alice, "I'm dying to see Rome.")).json()


async def test_the_chosen_country_goes_before_the_browsers_language(valkey):
    async with browser() as alice:
        alice.client.cookies["care_country"] = "NZ"
        response = await posted(alice, **{"Accept-Language": "en-US"})
        assert response.json()["care"]["country"] == "NZ"


async def test_the_socket_tells_it_before_the_place_in_line(valkey):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Ich will nicht mehr leben", "r-1")
        help_, *_, queued = await tab.hear_until("chat:queued")
        assert (help_["type"], help_["requestId"], help_["language"]) == ("care:help", "r-1", "de")
        assert help_["title"].startswith("Gut, dass du das sagst")
        assert queued["requestId"] == "r-1"


async def test_a_paused_queue_delays_no_help(valkey):
    await sync_to_async(pause)("openai-chat")
    async with browser() as alice:
        assert (await posted(alice)).json()["care"]["level"] == "danger"
        tab = await alice.open()
        await tab.ask(CRY, "r-2")
        assert (await tab.hear())["type"] == "care:help"


async def test_a_full_queue_refuses_the_message_and_shows_help(valkey, settings):
    queues = settings.QUEUEING["QUEUES"]
    full = queues["openai-chat"] | {"hard_limit": 1, "soft_limit": 1}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": queues | {"openai-chat": full}}
    async with browser() as alice:
        await posted(alice, "Hello")
        refused = await posted(alice)
        assert refused.status_code in (429, 503)
        assert refused["Content-Type"] == "application/problem+json"
        assert refused.json()["care"]["level"] == "danger"
        tab = await alice.open()
        await tab.ask(CRY, "r-3", companion="emotional")
        heard = await tab.hear_until("chat:rejected")
        assert [event["type"] for event in heard][-2:] == ["care:help", "chat:rejected"]


async def test_a_message_that_cannot_be_taken_is_refused_and_shows_help(valkey):
    async with browser() as alice:
        refused = await posted(alice, f"{CRY} \x00")
        assert (refused.status_code, refused.json()["care"]["level"]) == (422, "danger")


async def test_with_redis_away_help_is_shown_and_the_message_kept(settings):
    point_at(settings, "redis://127.0.0.1:1/0")
    async with browser() as alice:
        response = await posted(alice)
        assert (response.status_code, response.json()["care"]["level"]) == (202, "danger")
        assert await Job.objects.acount() == 1


async def test_a_count_that_cannot_be_written_hides_no_help(valkey, monkeypatch):
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(CareCount.objects, "get_or_create", away)
    async with browser() as alice:
        assert (await posted(alice)).json()["care"]["level"] == "danger"


async def test_cards_are_counted_by_day_companion_and_level_and_nothing_else(valkey):
    async with browser() as alice:
        await posted(alice)
        await posted(alice, "I can't go on like this")
        await posted(alice, "I can't go on like this")
        tab = await alice.open()
        await tab.ask(CRY, "r-4", companion="x" * 32)  # a client's word is not to be stored
        await tab.hear_until("error")
    counts = {
        (c.companion, c.level): c.shown async for c in CareCount.objects.filter(day=timezone.localdate())
    }
    assert counts == {("emotional", "danger"): 1, ("emotional", "concern"): 2, ("", "danger"): 1}
    assert {field.name for field in CareCount._meta.fields} == {"id", "day", "companion", "level", "shown"}


async def test_the_conversation_still_has_its_card_after_a_reload(valkey):
    async with browser() as alice:
        first = (await posted(alice)).json()
        body = {"message": "Thank you.", "threadId": first["threadId"]}
        await alice.call("post", "/api/emotional", json.dumps(body))
        thread = (await alice.client.get(f"/api/threads/{first['threadId']}")).json()
        assert thread["care"]["messageId"] == first["messageId"]
        assert thread["care"]["level"] == "danger"


async def test_an_edited_message_is_looked_at_too(valkey):
    async with browser() as alice:
        first = (await posted(alice, "Hello")).json()
        body = json.dumps({"content": CRY})
        edited = await alice.call("patch", f"/api/messages/{first['messageId']}", body)
        assert edited.json()["care"]["level"] == "danger"


async def test_anybody_can_read_the_help_lines_of_a_country():
    async with browser() as alice:
        answer = (await alice.client.get("/api/care?country=fr")).json()
        assert answer["care"]["lines"][0]["number"] == "3114"
        assert {"code": "BE", "name": "België · Belgique"} in answer["countries"]


async def test_the_model_is_told_how_to_answer_until_the_talk_has_moved_on(workers):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Where is Rome?", "r-0", companion="emotional")
        thread = (await tab.hear_until("chat:completed"))[-1]["threadId"]
        for number, text in enumerate([CRY, "Thank you.", *["Tell me of Rome."] * 4]):
            await tab.ask(text, f"r-{number + 1}", companion="emotional", threadId=thread)
            await tab.hear_until("chat:completed")
    sent = [str(request.json) for request in workers.requests]
    replies = [text for text in sent if "You are the Emotional companion" in text]  # and no title
    told = ["Important for this answer" in text for text in replies]
    assert told == [False, True, True, True, True, True, False]
