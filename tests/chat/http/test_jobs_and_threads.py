"""Jobs and threads over HTTP."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async

from chat.companions.registry import COMPANIONS
from chat.models import Message, Thread
from chat.replies.reply_job import reply
from queueing.api import Job, Permanent, State
from tests.chat.browser import file_of
from tests.chat.conversations.long_thread import long_thread, numbers

from .visitor import problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture
def remove_travel() -> Iterator[Callable[[], object]]:
    """Call it to remove the companion. Afterwards all are there again, in their order."""
    companions = dict(COMPANIONS)
    yield lambda: COMPANIONS.pop("travel")
    COMPANIONS.clear()
    COMPANIONS.update(companions)


async def test_job_is_returned_with_its_state(alice):
    asked = await alice.ask(requestId="r-1")
    job = (await alice.call("GET", f"/api/jobs/{asked['jobId']}")).json()
    assert job["createdAt"].endswith("Z")
    del job["createdAt"]
    assert job == {
        "jobId": asked["jobId"],
        "requestId": "r-1",
        "threadId": asked["threadId"],
        "kind": "chat.reply",
        "queue": "openai-chat",
        "status": "waiting",
        "position": 1,
        "estimatedWait": asked["estimatedWait"],
        "attempt": 0,
        "of": 3,
        "startedAt": None,
        "finishedAt": None,
    }


async def test_cancelled_job_can_be_retried(alice):
    path = f"/api/jobs/{(await alice.ask())['jobId']}"
    cancelled = await alice.call("DELETE", path)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (await alice.call("DELETE", path)).status_code == 200
    retried = await alice.call("POST", f"{path}/retry")
    assert (retried.status_code, retried.json()["status"], retried.json()["position"]) == (202, "waiting", 1)
    problem(await alice.call("POST", f"{path}/retry"), 409, "wrong_state")


@pytest.mark.parametrize("job_id", ["nonsense", "0" * 32])
async def test_unknown_job_is_not_found(alice, job_id):
    problem(await alice.call("GET", f"/api/jobs/{job_id}"), 404, "not_found")


async def test_invalid_last_event_id_is_refused(alice):
    path = f"/api/jobs/{(await alice.ask())['jobId']}/events"
    problem(await alice.call("GET", path, **{"Last-Event-ID": "x"}), 422, "invalid", "Last-Event-ID")


async def test_thread_can_be_listed_read_renamed_and_deleted(alice):
    asked = await alice.ask("Where *to*?", requestId="r-1")
    path = f"/api/threads/{asked['threadId']}"
    (listed,) = (await alice.call("GET", "/api/threads")).json()["threads"]
    assert (listed["id"], listed["title"], listed["companion"]) == (
        asked["threadId"],
        "Where *to*?",
        "travel",
    )

    thread = (await alice.call("GET", path)).json()
    question, reply = thread["messages"]
    assert (question["role"], question["content"], question["requestId"]) == ("user", "Where *to*?", "r-1")
    assert "html" not in question
    assert (reply["id"], reply["status"], reply["jobId"]) == (asked["replyId"], "waiting", asked["jobId"])
    assert "error" not in reply

    renamed = await alice.call("PATCH", path, {"title": "Lisbon"})
    assert renamed.json()["title"] == "Lisbon"
    problem(await alice.call("PATCH", path, {"title": ""}), 422, "invalid", "title")
    deleted = await alice.call("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(await alice.call("GET", path), 404, "not_found")
    assert (await Job.objects.aget()).state == State.CANCELLED


async def test_thread_transcript_is_a_markdown_file(alice):
    asked = await alice.ask("Wohin im *Mai*?")
    await Message.objects.filter(id=asked["replyId"]).aupdate(content="Nach **Lissabon**.\n\n- Alfama")
    file = await alice.call("GET", f"/api/threads/{asked['threadId']}/transcript.md")
    assert file["Content-Type"] == "text/markdown; charset=utf-8"
    assert file["Content-Disposition"] == 'attachment; filename="wohin-im-mai.md"'
    question, answer = [m async for m in Message.objects.order_by("id")]
    assert await file_of(file) == (
        "# Wohin im *Mai*?\n\n"
        "With the Travel companion, an AI that can be wrong. Times are UTC.\n\n"
        f"**You**, {question.created_at:%d %B %Y, %H:%M}\n\nWohin im *Mai*?\n\n"
        f"**Travel**, {answer.created_at:%d %B %Y, %H:%M}\n\nNach **Lissabon**.\n\n- Alfama\n"
    )


async def test_message_of_a_transcript_stands_by_itself(alice):
    """P18: an answer that was stopped in the middle of code, and one with headings."""
    asked = await alice.ask("# How?")
    await Message.objects.filter(id=asked["replyId"]).aupdate(content="## So\n\n```py\nx = 1")
    await alice.ask("Next", threadId=asked["threadId"])
    text = await file_of(await alice.call("GET", f"/api/threads/{asked['threadId']}/transcript.md"))
    assert "\n\n### How?\n\n" in text
    assert "\n\n#### So\n\n```py\nx = 1\n```\n\n**You**" in text


async def test_transcript_of_a_companion_that_was_removed_has_its_name(alice, remove_travel):
    """P24."""
    asked = await alice.ask()
    remove_travel()
    text = await file_of(await alice.call("GET", f"/api/threads/{asked['threadId']}/transcript.md"))
    assert "**Travel**" in text


async def test_conversation_of_a_removed_companion_is_read_found_and_left_as_it_is(alice, remove_travel):
    """P24: nothing that would ask the companion is accepted, and nothing is removed by trying."""
    asked = await alice.ask("Where to go in May?")
    await alice.call("DELETE", f"/api/jobs/{asked['jobId']}")
    await Message.objects.filter(id=asked["replyId"]).aupdate(content="To Lisbon.", is_incomplete=True)
    remove_travel()
    path = f"/api/threads/{asked['threadId']}"
    thread = (await alice.call("GET", path)).json()
    assert thread["companion"] == "travel"
    for found in ("/api/threads", "/api/threads?q=lisbon"):
        assert [one["id"] for one in (await alice.call("GET", found)).json()["threads"]] == [
            asked["threadId"]
        ]
    problem(await alice.call("POST", f"/api/jobs/{asked['jobId']}/retry"), 409, "wrong_state")
    edit = await alice.call("PATCH", f"/api/messages/{asked['messageId']}", {"content": "In June?"})
    problem(edit, 409, "wrong_state")
    again = (await alice.call("GET", path)).json()
    assert [one["content"] for one in again["messages"]] == ["Where to go in May?", "To Lisbon."]


async def test_waiting_question_to_a_removed_companion_fails_with_the_reason(alice, remove_travel):
    """P24."""
    asked = await alice.ask()
    remove_travel()
    with pytest.raises(Permanent) as caught:
        await reply(SimpleNamespace(owner=""), reply_id=asked["replyId"])
    assert caught.value.code == "no_companion"


async def test_long_thread_is_read_in_pages(alice):
    """S22: a request reads and renders a bounded number of messages."""
    thread = await owned_long_thread(alice, 100)
    path = f"/api/threads/{thread.id.hex}"
    newest = (await alice.call("GET", path)).json()
    assert (len(newest["messages"]), newest["earlier"], newest["later"]) == (40, True, False)
    assert newest["messages"][-1]["html"] == f"<p>{newest['messages'][-1]['content']}</p>\n"
    first = newest["messages"][0]["id"]
    before = (await alice.call("GET", f"{path}?before={first}")).json()
    assert numbers([message["content"] for message in before["messages"]]) == list(range(20, 60))
    after = (await alice.call("GET", f"{path}?after={before['messages'][-1]['id']}")).json()
    assert after["messages"] == newest["messages"]
    around = (await alice.call("GET", f"{path}?around={before['messages'][4]['id']}")).json()
    assert (around["earlier"], around["later"]) == (True, True)
    assert before["messages"][4] in around["messages"]
    assert "care" not in before
    problem(await alice.call("GET", f"{path}?around={'0' * 32}"), 404, "not_found")
    problem(await alice.call("GET", f"{path}?before={first}&after={first}"), 422, "invalid", "before")


async def test_transcript_of_a_long_thread_is_complete_and_sent_in_parts(alice):
    """S22: neither the process nor a connection holds all of it."""
    thread = await owned_long_thread(alice, 100)
    file = await alice.call("GET", f"/api/threads/{thread.id.hex}/transcript.md")
    assert file.streaming
    parts = [part async for part in file]
    assert len(parts) > 3
    said = [line for line in b"".join(parts).decode().splitlines() if line.startswith("Message ")]
    assert numbers(said) == list(range(100))


async def owned_long_thread(visitor, messages: int) -> Thread:
    """Create a long thread of the visitor."""
    asked = await visitor.ask()
    owner = (await Thread.objects.aget(id=asked["threadId"])).owner
    return await sync_to_async(long_thread)(messages, owner=owner)


@pytest.mark.parametrize(
    ("title", "name"),
    [("", "conversation"), ("…", "conversation"), ("京都の朝", "京都の朝"), ("x" * 99, "x" * 60)],
)
async def test_transcript_has_a_file_name_for_every_title(alice, title, name):
    asked = await alice.ask()
    await Thread.objects.filter(id=asked["threadId"]).aupdate(title=title)
    file = await alice.call("GET", f"/api/threads/{asked['threadId']}/transcript.md")
    assert file["Content-Disposition"] in (
        f'attachment; filename="{name}.md"',
        f"attachment; filename*=utf-8''{quote(name)}.md",
    )
