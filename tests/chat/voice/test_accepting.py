"""A recording is accepted with its place in line, or refused by the field that is wrong."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chat.models import Message, Thread
from chat.uploads.models import Upload
from chat.voice import availability
from queueing.api import Job
from tests import speech
from tests.support.valkey import free_port

from .sending import heard, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_a_recording_is_accepted_with_its_place_in_line_and_kept_for_its_job(alice):
    answer = await heard(alice, requestId="r-1", name="memo.mp3")

    assert set(answer) == {"jobId", "requestId", "queue", "status", "position", "estimatedWait"}
    assert (answer["queue"], answer["status"], answer["position"]) == ("audio-processing", "queued", 1)
    upload = await Upload.objects.aget()
    assert (upload.name, upload.media_type) == ("memo.mp3", "audio/webm"), (
        "named by its sender, told by content"
    )
    assert upload.job_id == uuid.UUID(answer["jobId"])
    assert not await Message.objects.aexists()


async def test_the_same_request_again_is_the_same_job_and_stores_nothing(alice):
    first = await heard(alice, requestId="r-1", send="true")
    again = await heard(alice, requestId="r-1", send="true")

    assert (first["jobId"], first["replyId"]) == (again["jobId"], again["replyId"])
    assert await Upload.objects.acount() == 1
    assert await Message.objects.acount() == 2


async def test_one_to_be_sent_is_a_question_without_words_and_a_reply_that_waits_for_them(alice):
    answer = await heard(alice, send="true", seconds="2.6", name="memo.webm")

    thread = await Thread.objects.aget()
    assert (thread.id.hex, thread.title) == (answer["threadId"], "Voice message")
    shown = (await alice.call("get", f"/api/threads/{thread.id.hex}")).json()["messages"]
    question, reply = shown
    assert (question["id"], reply["id"]) == (answer["messageId"], answer["replyId"])
    assert question["attachment"] == {"kind": "audio", "name": "memo.webm", "seconds": 3}
    assert (question["content"], question["jobId"], question["status"]) == ("", answer["jobId"], "waiting")
    assert (reply["jobId"], reply["status"]) == (answer["replyJobId"], "waiting")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"companion": "nobody"}, "companion"),
        ({"threadId": "nonsense"}, "threadId"),
        ({"requestId": "no spaces"}, "requestId"),
        ({"language": "English, please"}, "language"),
        ({"send": "perhaps"}, "send"),
        ({"seconds": "-1"}, "seconds"),
        ({"data": b"%PDF-1.7", "name": "voice.wav"}, "file"),
        ({"data": b""}, "file"),
        ({"data": speech.WEBM.read_bytes()[:4000]}, "file"),
        ({"file": "no file at all"}, "file"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_kept(alice, form, field):
    response = await send(alice, **form)

    assert (response.status_code, response.json()["field"]) == (422, field), response.json()
    for model in (Upload, Job, Thread, Message):
        assert not await model.objects.aexists()


async def test_more_than_25_mb_are_refused_whatever_they_are(alice):
    response = await send(alice, data=b"\0" * (25 * 2**20 + 1))
    assert (response.status_code, response.json()["detail"]) == (422, "This file is larger than 25 MB.")
    assert not await Upload.objects.aexists()


async def test_a_form_without_a_companion_is_told_so(alice):
    token = alice.client.cookies["csrftoken"].value
    body = {"file": SimpleUploadedFile("a.webm", speech.WEBM.read_bytes())}
    response = await alice.client.post("/api/audio", body, headers={"X-CSRFToken": token})
    assert (response.status_code, response.json()["field"]) == (422, "companion")


async def test_somebody_elses_thread_does_not_exist(alice, bob):
    thread = (await heard(alice, send="true"))["threadId"]
    assert (await send(bob, send="true", threadId=thread)).status_code == 404
    assert await Upload.objects.acount() == 1, "a refused recording is not kept"


async def test_a_full_queue_keeps_no_recording(alice, monkeypatch, settings):
    settings.QUEUEING = settings.QUEUEING | {
        "QUEUES": settings.QUEUEING["QUEUES"]
        | {"audio-processing": settings.QUEUEING["QUEUES"]["audio-processing"] | {"owner_limit": 1}}
    }
    await heard(alice)
    response = await send(alice)
    assert (response.status_code, response.json()["code"]) == (429, "owner_limit")
    assert await Upload.objects.acount() == 1


async def test_without_a_model_nothing_is_taken_and_it_is_said_what_is_missing(alice, settings):
    settings.OPENAI_TRANSCRIPTION_MODEL = ""
    response = await send(alice)
    assert response.status_code == 422
    assert "OPENAI_TRANSCRIPTION_MODEL" in response.json()["detail"]
    assert (await alice.client.get("/api/voice")).json()["reason"] == availability.NOT_SET_UP


async def test_the_page_is_told_while_the_demo_ear_is_not_up(alice, settings, provider):
    settings.DEMO_SPEECH = True
    settings.OPENAI_TRANSCRIPTION_BASE_URL = f"http://127.0.0.1:{free_port()}/v1"
    assert (await alice.client.get("/api/voice")).json()["reason"] == availability.STARTING

    settings.OPENAI_TRANSCRIPTION_BASE_URL = provider.base_url
    answer = (await alice.client.get("/api/voice")).json()
    assert (answer["ready"], answer["demo"], answer["maxBytes"]) == (True, True, 25 * 2**20)
