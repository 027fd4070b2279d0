"""Submission of recordings, and refusals that name the field."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chat.models import Message, Thread
from chat.uploads.models import Upload
from chat.voice import texts
from queueing.api import Job
from tests import speech
from tests.support.valkey import free_port

from .recording_requests import send_recording, submit_recording

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_recording_is_accepted_with_position_and_stored(alice):
    answer = await submit_recording(alice, requestId="r-1", name="memo.mp3")

    assert set(answer) == {"jobId", "requestId", "queue", "status", "position", "estimatedWait"}
    assert (answer["queue"], answer["status"], answer["position"]) == ("audio-processing", "queued", 1)
    upload = await Upload.objects.aget()
    assert (upload.name, upload.media_type) == ("memo.mp3", "audio/webm"), (
        "the name is the sender's, the type is detected"
    )
    assert upload.job_id == uuid.UUID(answer["jobId"])
    assert not await Message.objects.aexists()


async def test_repeated_request_is_same_job_and_stores_nothing(alice):
    first = await submit_recording(alice, requestId="r-1", send="true")
    again = await submit_recording(alice, requestId="r-1", send="true")

    assert (first["jobId"], first["replyId"]) == (again["jobId"], again["replyId"])
    assert await Upload.objects.acount() == 1
    assert await Message.objects.acount() == 2


async def test_sent_recording_is_empty_question_and_waiting_reply(alice):
    answer = await submit_recording(alice, send="true", seconds="2.6", name="memo.webm")

    thread = await Thread.objects.aget()
    assert (thread.id.hex, thread.title) == (answer["threadId"], "Voice message")
    messages = (await alice.call("get", f"/api/threads/{thread.id.hex}")).json()["messages"]
    question, reply = messages
    assert (question["id"], reply["id"]) == (answer["messageId"], answer["replyId"])
    assert question["attachment"] == {"kind": "audio", "name": "memo.webm", "seconds": 3}
    assert (question["content"], question["jobId"], question["status"]) == ("", answer["jobId"], "waiting")
    assert (reply["jobId"], reply["status"]) == (answer["replyJobId"], "waiting")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"companion": "nobody"}, "companion"),
        ({"threadId": "x" * 65}, "threadId"),
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
async def test_invalid_field_is_named_and_nothing_is_stored(alice, form, field):
    response = await send_recording(alice, **form)

    assert (response.status_code, response.json()["field"]) == (422, field), response.json()
    for model in (Upload, Job, Thread, Message):
        assert not await model.objects.aexists()


async def test_file_over_25_mb_is_refused(alice):
    response = await send_recording(alice, data=b"\0" * (25 * 2**20 + 1))
    assert (response.status_code, response.json()["detail"]) == (422, "This file is larger than 25 MB.")
    assert not await Upload.objects.aexists()


async def test_missing_companion_is_named(alice):
    token = alice.client.cookies["csrftoken"].value
    body = {"file": SimpleUploadedFile("a.webm", speech.WEBM.read_bytes())}
    response = await alice.client.post("/api/audio", body, headers={"X-CSRFToken": token})
    assert (response.status_code, response.json()["field"]) == (422, "companion")


async def test_thread_of_another_owner_is_404(alice, bob):
    thread = (await submit_recording(alice, send="true"))["threadId"]
    assert (await send_recording(bob, send="true", threadId=thread)).status_code == 404
    assert await Upload.objects.acount() == 1, "a refused recording is not stored"


async def test_full_queue_stores_no_recording(alice, monkeypatch, settings):
    settings.QUEUEING = settings.QUEUEING | {
        "QUEUES": settings.QUEUEING["QUEUES"]
        | {"audio-processing": settings.QUEUEING["QUEUES"]["audio-processing"] | {"owner_limit": 1}}
    }
    await submit_recording(alice)
    response = await send_recording(alice)
    assert (response.status_code, response.json()["code"]) == (429, "owner_limit")
    assert await Upload.objects.acount() == 1


async def test_missing_model_refuses_and_names_the_setting(alice, settings):
    settings.OPENAI_TRANSCRIPTION_MODEL = ""
    response = await send_recording(alice)
    assert response.status_code == 422
    assert "OPENAI_TRANSCRIPTION_MODEL" in response.json()["detail"]
    assert (await alice.client.get("/api/voice")).json()["reason"] == texts.UNAVAILABLE


async def test_demo_speech_server_not_started_is_reported(alice, settings, provider):
    settings.DEMO_SPEECH = True
    settings.OPENAI_TRANSCRIPTION_BASE_URL = f"http://127.0.0.1:{free_port()}/v1"
    assert (await alice.client.get("/api/voice")).json()["reason"] == texts.STARTING

    settings.OPENAI_TRANSCRIPTION_BASE_URL = provider.base_url
    answer = (await alice.client.get("/api/voice")).json()
    assert (answer["ready"], answer["demo"], answer["maxBytes"]) == (True, True, 25 * 2**20)
