"""Submission of documents: four ways to send one, and refusals that name the field."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chat.documents.models import Analysis
from chat.models import Message, Role, Thread
from queueing.api import Job
from tests.chat.browser import browser

from . import sample_files
from .document_requests import send_document, submit_document

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_document_is_accepted_by_form_json_socket_and_upload():
    async with browser() as alice:
        tab = await alice.open()
        form = await submit_document(
            alice, name="../../etc/a\nb.pdf", data=sample_files.pdf(), requestId="r-1"
        )
        again = await submit_document(alice, data=b"MZ something else", requestId="r-1")
        assert again["jobId"] == form["jobId"], "the file of a repeated request is not read"

        body = {
            "companion": "travel",
            "text": "One, two.",
            "question": "Three?",
            "threadId": form["threadId"],
        }
        assert (await alice.call("post", "/api/analysis", body)).json()["threadId"] == form["threadId"]

        await tab.send_message(
            type="analysis:large", requestId="r-3", companion="culture", text="# T\n\nText"
        )
        received = await tab.receive_until("analysis:queued")
        while received[-1]["requestId"] != "r-3":
            received = await tab.receive_until("analysis:queued")

        token = alice.client.cookies["csrftoken"].value
        file = {"file": SimpleUploadedFile("people.csv", b"name,place\nAda,London\n")}
        upload = await alice.client.post("/api/analysis/uploads", file, headers={"X-CSRFToken": token})
        upload_id = upload.json()["uploadId"]
        await tab.send_message(
            type="analysis:large", requestId="r-4", companion="culture", uploadId=upload_id
        )
        await tab.receive_until("analysis:queued")
        await tab.send_message(
            type="analysis:large", requestId="r-5", companion="culture", uploadId=upload_id
        )
        gone = (await tab.receive_until("error"))[-1]
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
        ({"data": sample_files.locked_pdf("secret")}, "file"),
        ({"companion": "nobody"}, "companion"),
        ({"question": "x" * 2001}, "question"),
        ({"text": "and a text"}, "file"),
        ({"threadId": "no name"}, "threadId"),
        ({"requestId": "no spaces"}, "requestId"),
    ],
    ids=["locked", "companion", "long question", "two documents", "thread", "request"],
)
async def test_invalid_field_is_named_and_nothing_is_stored(fields, field):
    async with browser() as alice:
        await alice.client.get("/")
        response = await send_document(alice, **fields)
    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (422, "invalid", field)
    assert problem["detail"].endswith(".")
    assert not await Thread.objects.aexists()
    assert not await Job.objects.aexists()


async def test_unreadable_files_count_against_the_rate_limit(settings):
    settings.LIMITS = settings.LIMITS | {"anonymous": "2/minute"}
    settings.LIMIT_MAX_WAIT = 0
    async with browser() as alice:
        await alice.client.get("/")
        answers = [
            (await send_document(alice, data=sample_files.locked_pdf("secret"))).status_code for _ in range(3)
        ]
    assert answers == [422, 422, 429]


async def test_invalid_json_is_bad_json_error():
    async with browser() as alice:
        await alice.client.get("/")
        response = await alice.call("post", "/api/analysis", "{")
    assert (response.status_code, response.json()["code"]) == (400, "bad_json")


async def test_message_too_long_for_chat_becomes_document():
    words = "The harbour was quiet that year. " * 700
    async with browser() as alice:
        tab = await alice.open()
        answer = await alice.call("post", "/api/travel", {"message": f"What was it like?\n\n{words}"})
        body = answer.json()
        assert (answer.status_code, body["queue"]) == (202, "large-requests")
        assert "too long for the chat" in body["notice"]
        await tab.receive_until("analysis:queued")
        await tab.ask(words, requestId="r-2")
        assert (await tab.receive_until("analysis:queued"))[-1]["requestId"] == "r-2"
    first, second = [a async for a in Analysis.objects.order_by("created_at")]
    assert (first.text, second.text) == (words.strip(), words.strip())
    questions = [m.content async for m in Message.objects.filter(role=Role.USER)]
    assert questions == ["What was it like?", "What matters in this document?"]


async def test_question_edit_is_refused_after_reading_starts():
    async with browser() as alice:
        await alice.client.get("/")
        job = await submit_document(alice)
        path = f"/api/messages/{job['messageId']}"
        changed = await alice.call("patch", path, {"content": "How many?"})
        assert (changed.status_code, changed.json()["jobId"]) == (202, job["jobId"])
        await Job.objects.aupdate(state="active")
        refused = await alice.call("patch", path, {"content": "How few?"})
        assert (refused.status_code, refused.json()["field"]) == (422, "content")
    assert await Message.objects.filter(content="How many?").acount() == 1


async def test_thread_deletion_deletes_documents():
    async with browser() as alice:
        await alice.client.get("/")
        job = await submit_document(alice)
        assert await Analysis.objects.acount() == 1
        await alice.call("delete", f"/api/threads/{job['threadId']}")
    assert not await Analysis.objects.aexists()
