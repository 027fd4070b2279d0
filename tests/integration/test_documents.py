"""A document's whole way: sent, read part by part by real workers, reported on, and gone."""

import os
import re
import signal
from collections import Counter
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chat.documents.models import Analysis, Piece
from chat.models import Message, Role, Thread
from queueing.models import Job
from tests.documents import making
from tests.integration.tabs import browser, eventually, text_of
from tests.provider.script import Script

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: One part of eight each, in the window that these workers have.
SECTIONS = 8
WINDOW = 2000
QUICK = {
    "OPENAI_CONTEXT_TOKENS": str(WINDOW),
    "QUEUE_LARGE_REQUESTS_LIMITER": "0/1",
    "QUEUE_LARGE_REQUESTS_BACKOFF_DELAY": "0.1",
}
TEXT = "\n\n".join(
    f"# Year {n}\n\nIn the year {n} the harbour took in {n * 100} ships."
    + " Nothing else was said of it." * 45
    for n in range(1, SECTIONS + 1)
)


@pytest.fixture
def harbour(qcluster, provider):
    """A scripted provider behind real workers, which finds one thing in each part."""
    cluster = qcluster(**provider.publishes, **QUICK)
    provider.cluster = cluster
    return provider


def findings(provider, *, first: tuple[Script, ...] = ()) -> None:
    """Answer as a good model would, after the scripts that come first."""
    provider.script(*first)
    for n in range(1, SECTIONS + 1):
        text = f"NOTES:\n- {n * 100} ships came\nQUOTES: 2\nOPEN: Who counted them in year {n}?"
        provider.script(match=f"Part {n} of {SECTIONS} ", text=text, times=9)
    provider.script(
        match="These notes were taken", text="SUMMARY: More ships each year.\nKEY: 8, 1\nOPEN: none", times=9
    )


def asked(provider) -> Counter[str]:
    """How often each part was asked about; `sum` for what they come to."""
    prompts = [request.json["messages"][-1]["content"] for request in provider.requests]
    return Counter(m[1] if (m := re.search(r"Part (\d+) of", p)) else "sum" for p in prompts)


async def send(one, *, name: str = "harbour.md", data: bytes = TEXT.encode(), **fields: str) -> Any:
    """A form, as the page sends it."""
    token = one.client.cookies["csrftoken"].value
    form = {"companion": "travel", "file": SimpleUploadedFile(name, data)} | fields
    return await one.client.post("/api/analysis", form, headers={"X-CSRFToken": token})


async def accepted(one, **fields: Any) -> dict[str, Any]:
    response = await send(one, **fields)
    assert response.status_code == 202, response.content
    return response.json()


async def test_a_document_is_read_part_by_part_and_its_report_can_be_taken_home(harbour):
    findings(harbour, first=(Script(match="Part 4 of", status=429, headers={"retry-after": "1"}),))
    async with browser() as alice, browser() as bob:
        tab = await alice.open()
        await bob.open()
        job = await accepted(alice, question="How many ships?", requestId="r-1")
        assert job["queue"] == "large-requests"
        events = await tab.hear_until("analysis:completed", "analysis:failed")

        assert {event["type"] for event in events} >= {
            "analysis:queued",
            "analysis:started",
            "analysis:retrying",
        }
        progress = [(e["done"], e["total"]) for e in events if e["type"] == "analysis:progress"]
        assert progress[-1] == (8, 8)
        assert [done for done, _ in progress] == sorted(done for done, _ in progress)
        last_run = max(e["run"] for e in events if e["type"] == "analysis:started")
        said = [e for e in events if e["type"] == "analysis:delta" and e["run"] == last_run]
        parts = text_of([event | {"type": "chat:delta"} for event in said])
        assert parts.startswith("Part 1 of 8, “Year 1”\n- 100 ships came\n\nPart 2 of 8")

        report = events[-1]["response"]
        assert "## Summary\n\nMore ships each year." in report
        assert "- 100 ships came (“Year 1”)\n- 800 ships came (“Year 8”)" in report
        assert "> In the year 1 the harbour took in 100 ships.\n>\n> — “Year 1”" in report
        assert "- Who counted them in year 1?" in report
        assert f"**harbour.md** (Markdown), {len(TEXT):,} characters, in 8 parts" in report
        assert events[-1]["result"]["usage"]["inputTokens"] == 9 * 11

        thread = (await alice.client.get(f"/api/threads/{job['threadId']}")).json()
        question, reply = thread["messages"]
        assert question["attachment"] == {"kind": "document", "name": "harbour.md", "size": len(TEXT)}
        assert (question["content"], reply["content"]) == ("How many ships?", report)

        file = await alice.client.get(f"/api/analysis/{job['jobId']}/report.md")
        assert file["Content-Disposition"] == 'attachment; filename="Report on harbour.md.md"'
        assert file.content.decode().startswith("# harbour.md\n\nHow many ships?\n\n## Summary")
        assert (await bob.client.get(f"/api/analysis/{job['jobId']}/report.md")).status_code == 404

    once = {str(n): 1 for n in range(1, 9)} | {"sum": 1}
    assert asked(harbour) == Counter(once | {"4": 2})
    assert (await Job.objects.aget()).attempts == 1, "being asked to wait costs no attempt"
    assert not await Analysis.objects.aexists()
    assert not await Piece.objects.aexists()


@pytest.mark.slow
async def test_a_worker_that_is_killed_has_nothing_read_twice(harbour):
    """It dies after part 3 of 8, over part 4: what was read before is read once."""
    findings(harbour, first=(Script(match="Part 4 of", status=0), Script(match="Part 5 of", status=0)))
    async with browser() as alice:
        tab = await alice.open()
        await accepted(alice)
        await eventually(lambda: Piece.objects.exclude(result=None).count() == 3, "three parts")
        await harbour.eventually(lambda requests: len(requests) == 5)
        for pid in harbour.cluster.workers():
            os.kill(pid, signal.SIGKILL)
        events = await tab.hear_until("analysis:completed", "analysis:failed", timeout=60)
    assert events[-1]["type"] == "analysis:completed"
    assert [asked(harbour)[str(n)] for n in range(1, 9)] == [1, 1, 1, 2, 2, 1, 1, 1]


async def test_stopping_stops_at_once_and_what_was_found_stays(harbour):
    findings(harbour, first=(Script(match="Part 3 of", status=0), Script(match="Part 4 of", status=0)))
    async with browser() as alice:
        tab = await alice.open()
        job = await accepted(alice)
        await harbour.eventually(lambda requests: len(requests) == 4)
        while "Part 2" not in (await tab.hear_until("analysis:delta"))[-1]["text"]:
            pass
        await tab.say(type="job:cancel", jobId=job["jobId"])
        events = await tab.hear_until("analysis:cancelled")
        await harbour.eventually(lambda requests: sum(r.disconnected is not None for r in requests) == 2, 5)
        thread = (await alice.client.get(f"/api/threads/{job['threadId']}")).json()
        assert thread["messages"][1]["content"] == events[-1]["text"]
        assert "Part 2 of 8" in events[-1]["text"]

        await tab.say(type="job:retry", jobId=job["jobId"])
        await tab.hear_until("analysis:completed")
    assert [asked(harbour)[str(n)] for n in range(1, 9)] == [1, 1, 2, 2, 1, 1, 1, 1]


# --- without workers ------------------------------------------------------------------------------


async def test_a_form_or_json_or_a_frame_or_an_upload_bring_a_document():
    async with browser() as alice:
        tab = await alice.open()
        form = await accepted(alice, name="../../etc/a\nb.pdf", data=making.pdf(), requestId="r-1")
        again = await accepted(alice, data=b"MZ something else", requestId="r-1")
        assert again["jobId"] == form["jobId"], "what was accepted once is not looked at again"

        body = {
            "companion": "travel",
            "text": "One, two.",
            "question": "Three?",
            "threadId": form["threadId"],
        }
        assert (await alice.call("post", "/api/analysis", body)).json()["threadId"] == form["threadId"]

        await tab.say(type="analysis:large", requestId="r-3", companion="culture", text="# T\n\nText")
        heard = await tab.hear_until("analysis:queued")
        while heard[-1]["requestId"] != "r-3":
            heard = await tab.hear_until("analysis:queued")

        token = alice.client.cookies["csrftoken"].value
        file = {"file": SimpleUploadedFile("people.csv", b"name,place\nAda,London\n")}
        kept = await alice.client.post("/api/analysis/uploads", file, headers={"X-CSRFToken": token})
        upload_id = kept.json()["uploadId"]
        await tab.say(type="analysis:large", requestId="r-4", companion="culture", uploadId=upload_id)
        await tab.hear_until("analysis:queued")
        await tab.say(type="analysis:large", requestId="r-5", companion="culture", uploadId=upload_id)
        gone = (await tab.hear_until("error"))[-1]
        assert (gone["code"], gone["field"]) == ("invalid", "uploadId")

    kinds = [(a.kind, a.name, a.pages) async for a in Analysis.objects.order_by("created_at")]
    assert kinds == [
        ("pdf", "ab.pdf", 3),
        ("txt", "Pasted text", None),
        ("md", "Pasted text", None),
        ("csv", "people.csv", None),
    ]
    questions = Message.objects.filter(role=Role.USER).values_list("content", flat=True)
    assert [q async for q in questions] == [
        "What matters in this document?",
        "Three?",
        "What matters in this document?",
        "What matters in this document?",
    ]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"data": making.locked_pdf("secret")}, "file"),
        ({"companion": "nobody"}, "companion"),
        ({"question": "x" * 2001}, "question"),
        ({"text": "and a text"}, "file"),
        ({"threadId": "17"}, "threadId"),
        ({"requestId": "no spaces"}, "requestId"),
    ],
    ids=["locked", "companion", "long question", "two documents", "thread", "request"],
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(fields, field):
    async with browser() as alice:
        await alice.client.get("/")
        response = await send(alice, **fields)
    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (422, "invalid", field)
    assert problem["detail"].endswith(".")
    assert not await Thread.objects.aexists()
    assert not await Job.objects.aexists()


async def test_files_that_cannot_be_read_count_as_asking_since_looking_at_them_is_work(settings):
    settings.LIMITS = settings.LIMITS | {"anonymous": "2/minute"}
    settings.LIMIT_MAX_WAIT = 0
    async with browser() as alice:
        await alice.client.get("/")
        answers = [(await send(alice, data=making.locked_pdf("secret"))).status_code for _ in range(3)]
    assert answers == [422, 422, 429]


async def test_what_is_no_json_is_told_so():
    async with browser() as alice:
        await alice.client.get("/")
        response = await alice.call("post", "/api/analysis", "{")
    assert (response.status_code, response.json()["code"]) == (400, "bad_json")


async def test_a_message_too_long_for_the_chat_is_read_as_a_document():
    words = "The harbour was quiet that year. " * 700
    async with browser() as alice:
        tab = await alice.open()
        answer = await alice.call("post", "/api/travel", {"message": f"What was it like?\n\n{words}"})
        body = answer.json()
        assert (answer.status_code, body["queue"]) == (202, "large-requests")
        assert "too long for the chat" in body["notice"]
        await tab.hear_until("analysis:queued")
        await tab.ask(words, requestId="r-2")
        assert (await tab.hear_until("analysis:queued"))[-1]["requestId"] == "r-2"
    first, second = [a async for a in Analysis.objects.order_by("created_at")]
    assert (first.text, second.text) == (words.strip(), words.strip())
    questions = [m.content async for m in Message.objects.filter(role=Role.USER)]
    assert questions == ["What was it like?", "What matters in this document?"]


async def test_a_question_about_a_document_can_be_changed_only_before_it_is_read():
    async with browser() as alice:
        await alice.client.get("/")
        job = await accepted(alice)
        path = f"/api/messages/{job['messageId']}"
        changed = await alice.call("patch", path, {"content": "How many?"})
        assert (changed.status_code, changed.json()["jobId"]) == (202, job["jobId"])
        await Job.objects.aupdate(state="active")
        refused = await alice.call("patch", path, {"content": "How few?"})
        assert (refused.status_code, refused.json()["field"]) == (422, "content")
    assert await Message.objects.filter(content="How many?").acount() == 1


async def test_a_thread_takes_its_documents_with_it():
    async with browser() as alice:
        await alice.client.get("/")
        job = await accepted(alice)
        assert await Analysis.objects.acount() == 1
        await alice.call("delete", f"/api/threads/{job['threadId']}")
    assert not await Analysis.objects.aexists()
