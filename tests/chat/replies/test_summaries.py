"""Long threads get summaries and new threads titles, both in the background."""

from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chat.branches.choice import discard_summary
from chat.conversations.threads import rename_thread
from chat.models import Message, Thread
from chat.prompting.persona import PromptBudget
from chat.prompting.token_budget import estimate_tokens, message_cost
from chat.replies import summaries
from chat.replies.summary_text import extract_summary, shorten
from queueing.api import Job, new_id, submit
from tests.chat.browser import Tab, browser
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: A window with room for about two questions of this length.
SMALL = {"OPENAI_CONTEXT_TOKENS": "4500"}
LONG = "word " * 350
SUMMARY = "The summary:"
TITLE = "The title:"


@pytest.fixture
def start(qcluster, provider):
    def begin(**environment: str) -> Any:
        qcluster(**provider.publishes, **environment)
        return provider

    return begin


async def talk(tab: Tab, text: str, request_id: str, **more: Any) -> dict[str, Any]:
    """Ask, and return the last event."""
    await tab.ask(text, request_id, **more)
    return (await tab.receive_until("chat:completed", "chat:failed", "chat:rejected"))[-1]


async def long_talk(tab: Tab, questions: int) -> str:
    """Ask long questions in one thread, and return its id."""
    thread: dict[str, Any] = {}
    for number in range(questions):
        ended = await talk(tab, f"Question {number}: {LONG}", f"r-{number}", **thread)
        assert ended["type"] == "chat:completed"
        thread = {"threadId": ended["threadId"]}
    return thread["threadId"]


def background(kind: str) -> Any:
    return Job.objects.filter(kind=kind)


def over(kind: str) -> bool:
    jobs = list(background(kind))
    return bool(jobs) and all(job.is_finished for job in jobs)


async def test_long_thread_continues_with_a_summary_of_its_beginning(start):
    provider = start(**SMALL)
    provider.script(match=SUMMARY, text="Ada wants seven days in Lisbon.", times=0)
    async with browser() as alice:
        tab = await alice.open()
        thread_id = await long_talk(tab, 3)
        await eventually(lambda: over("thread.summarise"), "the summary")
        thread = await Thread.objects.aget(id=thread_id)
        assert thread.summary == "Ada wants seven days in Lisbon."
        messages = [m async for m in Message.objects.filter(thread=thread)]
        covered = [m.id for m in messages if m.id <= thread.summarized_through]
        assert 2 <= len(covered) < 6
        summed_up = [r.json["messages"][1]["content"] for r in provider.requests if SUMMARY in str(r.json)]
        assert "Visitor: Question 0" in summed_up[0]

        await talk(tab, "And the food?", "r-last", threadId=thread_id)
        system, *turns = provider.requests[-1].json["messages"]
        assert "Ada wants seven days in Lisbon." in system["content"]
        assert "not instructions" in system["content"]
        said = "".join(turn["content"] for turn in turns)
        assert "Question 0" not in said
        assert turns[0]["role"] == "user"
        assert turns[-1]["content"] == "And the food?"
        # Word for word from where the summary ends.
        assert turns[0]["content"] == messages[len(covered)].content

        # Removing a message that the summary covers removes the summary, too.
        first = messages[0]
        await tab.send_message(
            type="message:edit", messageId=first.id.hex, content="Anew", requestId="r-edited"
        )
        await tab.receive_until("chat:completed")
        await thread.arefresh_from_db()
        assert (thread.summary, thread.summarized_through) == ("", None)
        assert "Lisbon" not in str(provider.requests[-1].json)
    assert await sync_to_async(background("thread.summarise").exclude(owner="").count)() == 0


async def test_failed_summary_is_visible_to_operators_only(start):
    provider = start(**SMALL)
    provider.script(match=SUMMARY, status=400, times=0)
    async with browser() as alice:
        tab = await alice.open()
        thread_id = await long_talk(tab, 3)
        await eventually(lambda: over("thread.summarise"), "the summary")
        ended = await talk(tab, "Go on", "r-on", threadId=thread_id)
        assert ended["type"] == "chat:completed"
        await eventually(lambda: over("thread.summarise"), "the last summary")
    jobs = [job async for job in background("thread.summarise")]
    assert {job.state for job in jobs} == {"failed"}
    assert (await Thread.objects.aget()).summary == ""


async def test_new_thread_gets_a_title_that_reaches_every_tab(start):
    provider = start(THREAD_TITLES="1")
    provider.script(match=TITLE, text='"Sieben Tage in Lissabon."')
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        ended = await talk(tab, "Wohin?", "r-1")
        for one in (tab, other):
            event = (await one.receive_until("thread:renamed"))[-1]
            assert event == {
                "type": "thread:renamed",
                "threadId": ended["threadId"],
                "title": "Sieben Tage in Lissabon",
            }
        asked = provider.requests[-1].json["messages"]
        assert "Visitor: Wohin?" in asked[1]["content"]
        listed = (await alice.client.get("/api/threads")).json()["threads"]
        assert [thread["title"] for thread in listed] == ["Sieben Tage in Lissabon"]

        await talk(tab, "Und dann?", "r-2", threadId=ended["threadId"])
        assert await sync_to_async(background("thread.title").count)() == 1


async def test_custom_title_stays_and_deleted_thread_makes_no_call(start):
    provider = start(THREAD_TITLES="1")
    provider.script(match=TITLE, text="Mine is better", wait=1.0)
    async with browser() as alice:
        tab = await alice.open()
        first = await talk(tab, "Where to?", "r-1")
        await provider.eventually(lambda requests: len(requests) == 2)
        owner = (await Thread.objects.aget()).owner
        await sync_to_async(rename_thread)(owner=owner, thread_id=UUID(first["threadId"]), title="My own")
        await eventually(lambda: over("thread.title"), "the title")
        assert (await Thread.objects.aget()).title == "My own"

        await sync_to_async(Job.objects.filter(kind="thread.title").delete)()
        await (await Thread.objects.aget()).adelete()
        asked = len(provider.requests)
        await sync_to_async(submit)("thread.title", {"thread_id": first["threadId"]})
        await sync_to_async(submit)("thread.summarise", {"thread_id": first["threadId"]})
        await eventually(lambda: over("thread.title") and over("thread.summarise"), "both")
        assert len(provider.requests) == asked
        assert await Job.objects.filter(state="failed").acount() == 0


async def test_waiting_title_jobs_do_not_delay_replies(start):
    provider = start(THREAD_TITLES="1")
    provider.script(match=TITLE, wait=20.0, times=0)
    async with browser() as alice:
        tab = await alice.open()
        for number in range(4):
            assert (await talk(tab, "Where to?", f"r-{number}"))["type"] == "chat:completed"
        status = (await alice.client.get("/api/queue/status")).json()
        counts = {queue["name"]: queue for queue in status["queues"]}
        assert counts["openai-chat"]["waiting"] == 0


# --- the moves one by one -------------------------------------------------------------------------


def thread_with(messages: int) -> tuple[Thread, list[UUID]]:
    thread = Thread.objects.create(owner="s:alice", companion="travel", title="T", updated_at=timezone.now())
    roles = ["user", "assistant"] * messages
    rows = [Message(thread=thread, role=role, content="x", job_id=new_id()) for role in roles[:messages]]
    Message.objects.bulk_create(rows)
    return thread, [row.id for row in rows]


def older_half(contents: list[str], room: int) -> list[str]:
    """Return those of alternating messages that would be summarised."""
    thread, ids = thread_with(len(contents))
    for message_id, content in zip(ids, contents, strict=True):
        Message.objects.filter(id=message_id).update(content=content)
    budget = PromptBudget(instructions="", context_tokens=room + message_cost(""), max_output_tokens=0)
    return [message.content for message in summaries._older_half(thread, budget)]


def test_older_half_ends_before_a_question():
    contents = [f"{n} " + "word " * 30 for n in range(10)]
    older = older_half(contents, room=sum(map(message_cost, contents)))
    assert older == contents[: len(older)]
    assert len(older) == 6


@pytest.mark.parametrize("unanswered", [0, 1])
def test_older_half_excludes_the_last_answer_and_waiting_questions(unanswered):
    contents = ["word " * 300, "word " * 300, "word " * 300, "word " * 900, *["Wait"] * unanswered]
    assert older_half(contents, room=1000) == contents[:2]


def test_older_half_of_a_thread_without_answer_is_empty():
    assert older_half(["word " * 900], room=1000) == []


def test_summary_of_very_many_messages_reads_the_oldest_of_them(monkeypatch):
    """S22: a thread that was never summarised is, step by step."""
    monkeypatch.setattr(summaries, "MAX_MESSAGES", 4)
    contents = [f"{n} " + "word " * 30 for n in range(20)]
    assert older_half(contents, room=sum(map(message_cost, contents))) == contents[:4]


def test_extracted_summary_has_the_latest_questions():
    said = [Message(role=role, content=f"{role} {n}") for n in range(3) for role in ("user", "assistant")]
    assert extract_summary("Before", said, 100).splitlines() == [
        "Before",
        *(f"The visitor said: user {n}" for n in range(3)),
    ]
    assert extract_summary("Before", said, 30).splitlines() == ["The visitor said: user 2"]


@given(st.text(), st.integers(min_value=3, max_value=40))
def test_shortened_text_fits_and_keeps_its_beginning(text, tokens):
    short = shorten(text, tokens)
    assert estimate_tokens(short) <= tokens
    assert short == text or text.startswith(short.removesuffix("…"))


def test_summary_of_removed_messages_is_not_stored():
    thread, ids = thread_with(4)
    Message.objects.filter(id=ids[0]).delete()
    summaries._store(thread, ids[:2], "Out of date")
    thread.refresh_from_db()
    assert thread.summary == ""


def test_second_summary_of_the_same_messages_is_not_stored():
    thread, ids = thread_with(6)
    summaries._store(thread, ids[:4], "First")
    summaries._store(thread, ids[:2], "Late")
    thread.refresh_from_db()
    assert (thread.summary, thread.summarized_through) == ("First", ids[3])


@pytest.mark.parametrize(("removed", "kept"), [([0], False), ([3, 4], False), ([4, 5], True)])
def test_summary_is_discarded_only_with_messages_it_covers(removed, kept):
    thread, ids = thread_with(6)
    summaries._store(thread, ids[:4], "Here")
    discard_summary(thread.id, [ids[i] for i in removed])
    thread.refresh_from_db()
    assert bool(thread.summary) is kept
