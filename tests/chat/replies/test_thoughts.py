"""What a model thinks before its answer is told, kept apart, and shown on request alone (K8)."""

from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from chat.accounts.pages import exporting
from chat.companions.registry import COMPANIONS
from chat.models import Message, Role, Thread
from chat.replies import thoughts
from queueing.api import Job
from tests.chat.browser import Browser, browser, file_of, text_of
from tests.provider.wire import sse
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

SECRET = "ornithorhynchus"


def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    return sse({"choices": [{"delta": delta, "finish_reason": finish}]}).decode()


TAGS = (chunk({"content": f"<think>Hm, {SECRET}?</think>"}), chunk({"content": "Take tram 28."}, "stop"))


async def read_thoughts(alice: Browser, job_id: str) -> Any:
    return (await alice.client.get(f"/api/jobs/{job_id}/thoughts")).json()


async def test_thinking_is_reported_every_second_and_thoughts_can_be_read(workers):
    workers.script(thoughts=f"Hm, {SECRET}? Yes.", text="Take tram 28.", pause_after=2, until="it was told")
    async with browser() as alice, browser() as bob:
        tab = await alice.open()
        await tab.ask("Lisbon?")
        events = [await tab.receive_event()]
        while len([e for e in events if e["type"] == "chat:thinking"]) < 2:
            events.append(await tab.receive_event())
        job_id = events[-1]["jobId"]
        assert (await read_thoughts(alice, job_id))["thoughts"].startswith("Hm,")
        workers.release("it was told")
        events += await tab.receive_until("chat:completed", "chat:failed")
        told = [event for event in events if event["type"] == "chat:thinking"]
        assert [event["run"] for event in told] == [1] * len(told)
        assert 0 <= told[0]["seconds"] < told[1]["seconds"]
        kinds = [event["type"] for event in events]
        assert max(i for i, kind in enumerate(kinds) if kind == "chat:thinking") < kinds.index("chat:delta")
        assert text_of(events) == events[-1]["response"] == "Take tram 28."
        assert events[-1]["thoughtSeconds"] >= told[-1]["seconds"]
        assert await read_thoughts(alice, job_id) == {"thoughts": f"Hm, {SECRET}? Yes."}
        await bob.open()
        assert (await bob.client.get(f"/api/jobs/{job_id}/thoughts")).status_code == 404
        reply = (await alice.client.get(f"/api/threads/{events[-1]['threadId']}")).json()["messages"][1]
        assert reply["thoughtSeconds"] == events[-1]["thoughtSeconds"]


@pytest.mark.parametrize(
    "script", [{"thoughts": f"Hm, {SECRET}?", "text": "Take tram 28."}, {"raw": TAGS}], ids=["fields", "tags"]
)
async def test_thoughts_are_nowhere_but_where_they_are_asked_for(qcluster, provider, script):
    qcluster(**provider.publishes, THREAD_TITLES="1")
    provider.script(match="Lisbon?", **script)
    provider.script(match="The title:", text=f"<think>{SECRET}</think>Trams of Lisbon")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Lisbon?")
        done = (await tab.receive_until("chat:completed", "chat:failed"))[-1]
        assert done["response"] == "Take tram 28."
        await tab.receive_until("thread:renamed")
        await tab.ask("And then?", "r-2", threadId=done["threadId"])
        await tab.receive_until("chat:completed")
        transcript = await file_of(await alice.client.get(f"/api/threads/{done['threadId']}/transcript.md"))

        assert SECRET in str(await read_thoughts(alice, done["jobId"]))
        thread = await Thread.objects.aget()
        assert thread.title == "Trams of Lisbon"
        export = await sync_to_async(
            lambda: [*exporting._markdown(thread), *exporting._thread_json(thread)]
        )()
        requests = [request.json for request in provider.requests]
        rows = [row async for row in Message.objects.values()] + [row async for row in Job.objects.values()]
        for place in (transcript, export, requests, rows, done):
            assert SECRET not in str(place)

        await alice.call("delete", f"/api/threads/{done['threadId']}")
        assert await thoughts.read(UUID(done["jobId"])) is None


async def test_answer_without_thoughts_reports_none(workers):
    workers.script(text="Take tram 28.")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Lisbon?")
        events = await tab.receive_until("chat:completed", "chat:failed")
        assert "chat:thinking" not in {event["type"] for event in events}
        assert "thoughtSeconds" not in events[-1]
        assert await read_thoughts(alice, events[-1]["jobId"]) == {"thoughts": None}


async def test_stopped_thoughts_leave_no_answer(workers):
    workers.script(raw=(chunk({"content": f"<think>Hm, {SECRET}?"}),), end="stall")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Lisbon?")
        heard = await tab.receive_until("chat:thinking")
        await tab.send_message(type="job:cancel", jobId=heard[-1]["jobId"])
        cancelled = (await tab.receive_until("chat:cancelled"))[-1]
        assert cancelled["text"] == ""
    reply = await Message.objects.aget(role=Role.ASSISTANT)
    assert (reply.content, reply.is_incomplete) == ("", False)


# --- room for thoughts ----------------------------------------------------------------------------


async def test_thoughts_that_use_up_the_limit_are_given_more_room_once(workers):
    """The answer comes in the same attempt, and the next answer has the room from the start."""
    workers.script(thoughts="Hm, hm.", text="", end="length")
    workers.script(thoughts="Hm, hm, hm.", text="Take tram 28.")
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Lisbon?")
        done = (await tab.receive_until("chat:completed", "chat:failed", "chat:retrying"))[-1]
        assert done["response"] == "Take tram 28."
        await tab.ask("And Porto?", "r-2", threadId=done["threadId"])
        await tab.receive_until("chat:completed")
    first, second, third = (request.json["max_tokens"] for request in workers.requests)
    assert second >= first + 8_000
    assert third == second


@pytest.mark.parametrize(
    "second", [{"text": "", "end": "length"}, {"status": 400, "message": "too many tokens"}]
)
async def test_thoughts_that_use_up_all_room_fail_with_the_cause(workers, second):
    workers.script(thoughts="Hm, hm.", text="", end="length")
    workers.script(thoughts="Hm, hm.", **second)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Lisbon?")
        failed = (await tab.receive_until("chat:completed", "chat:failed"))[-1]
        assert (failed["type"], failed["code"]) == ("chat:failed", "no_room")
        assert "still thinking" in failed["error"]
    assert len(workers.requests) == 2


async def test_room_and_effort_are_settings_of_each_companion(qcluster, provider):
    settings = {"OPENAI_THINKING_TOKENS": "1000", "OPENAI_TRAVEL_THINKING_TOKENS": "3000"}
    qcluster(**provider.publishes, **settings, OPENAI_TRAVEL_REASONING_EFFORT="low", THREAD_TITLES="0")
    async with browser() as alice:
        tab = await alice.open()
        for number, companion in enumerate(("travel", "culture")):
            await tab.ask("Lisbon?", f"r-{number}", companion=companion)
            await tab.receive_until("chat:completed", "chat:failed")
    travel, culture = (request.json for request in provider.requests)
    assert travel["max_tokens"] == COMPANIONS["travel"].max_output_tokens + 3000
    assert culture["max_tokens"] == COMPANIONS["culture"].max_output_tokens + 1000
    assert (travel.get("reasoning_effort"), culture.get("reasoning_effort")) == ("low", None)


async def test_thoughts_are_whole_again_after_redis_lost_the_last_of_them(workers, valkey):
    """K2: as after a failover to a replica that lacked the last write."""
    workers.script(
        thoughts="One two three four.", text="Yes.", pause_after=2, until="Redis lost the thoughts"
    )
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Lisbon?")
        events = await tab.receive_until("chat:thinking")
        key = f"{{buddy}}:app:thoughts:{events[-1]['jobId']}"
        await eventually(lambda: valkey.client.get(key), "the first thoughts")
        valkey.client.set(key, "On")
        workers.release("Redis lost the thoughts")
        await tab.receive_until("chat:completed", "chat:failed")
        assert (await read_thoughts(alice, events[-1]["jobId"]))["thoughts"] == "One two three four."
