"""Transcription by a real worker with a scripted provider."""

import pytest

from chat.care.models import CareCount
from chat.models import Message
from chat.uploads.models import Upload
from queueing.api import State
from tests import speech
from tests.support.valkey import eventually

from .recording_requests import TRANSCRIPT, ended_job, send_recording, submit_recording

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_transcript_is_returned_and_recording_deleted(alice, cluster, provider):
    # Only the latest progress is sent, so the call has to take longer than the interval between two sends.
    provider.script(match="recording", text=TRANSCRIPT, wait=0.3)
    tab = await alice.open()
    answer = await submit_recording(alice, requestId="r-1", language="en")

    events = await tab.receive_until("audio:completed")

    types = [e["type"] for e in events]
    assert {"audio:queued", "audio:started"} == {*types} - {
        "audio:position",
        "audio:progress",
        "audio:completed",
    }
    assert {e["label"] for e in events if e["type"] == "audio:progress"} & {"Transcribing your recording"}
    assert events[-1]["response"] == TRANSCRIPT
    assert (await ended_job(answer["jobId"])).state == State.COMPLETED
    assert not await Upload.objects.aexists()
    assert not await Message.objects.aexists()
    request = provider.requests[0]
    assert (request.path, request.authorised) == ("/v1/audio/transcriptions", True)
    assert request.json == {
        "model": "scripted-ear",
        "filename": "recording.webm",
        "bytes": speech.WEBM.stat().st_size,
        "language": "en",
    }


async def test_sent_recording_is_transcribed_and_answered_before_next_message(alice, cluster, provider):
    provider.script(match="recording", text=TRANSCRIPT, wait=0.3)
    tab = await alice.open()
    answer = await submit_recording(alice, requestId="r-1", send="true")
    next_one = {"message": "And then?", "threadId": answer["threadId"]}
    typed = (await alice.call("post", "/api/travel", next_one)).json()
    assert typed["estimatedWait"]["reason"] == "previous_message"

    events = await tab.receive_until("chat:completed")

    spoken = [e for e in events if e["jobId"] == answer["jobId"]]
    assert [(e["response"], e["replyJobId"]) for e in spoken if e["type"] == "audio:completed"] == [
        (TRANSCRIPT, answer["replyJobId"])
    ]
    assert events[-1]["jobId"] == answer["replyJobId"]
    await ended_job(typed["jobId"])
    asked = [r.json["messages"][-1]["content"] for r in provider.requests if "messages" in r.json]
    assert [question for question in asked if not question.endswith("The title:")] == [
        TRANSCRIPT,
        "And then?",
    ]
    thread = (await alice.call("get", f"/api/threads/{answer['threadId']}")).json()
    assert thread["title"] not in ("", "Voice message")
    question, reply = thread["messages"][:2]
    assert (question["content"], question["status"]) == (TRANSCRIPT, "completed")
    assert question["jobId"] == reply["jobId"] == answer["replyJobId"], (
        "the question belongs to the reply's job, like every other"
    )
    assert "Where should I go in Lisbon" in reply["content"]
    assert not await Upload.objects.aexists()


async def test_socket_transcribes_upload_by_id(alice, bob):
    upload = (await send_recording(alice, "/api/audio/uploads")).json()["uploadId"]
    request = {"type": "audio:process", "companion": "travel", "uploadId": upload, "send": True}

    other = await bob.open()
    await other.send_message(**request, requestId="r-1")
    refused = await other.receive_event()
    assert (refused["type"], refused["field"]) == ("error", "uploadId"), "the upload is not Bob's"

    tab, second = await alice.open(), await alice.open()
    await tab.send_message(**request, requestId="r-1")
    for one in (tab, second):
        queued = await one.receive_event()
        assert (queued["type"], queued["requestId"], queued["position"]) == ("audio:queued", "r-1", 1)
    await tab.send_message(**request, requestId="r-1")
    assert (await tab.receive_until("audio:queued"))[-1]["jobId"] == queued["jobId"], (
        "a repeated request returns the same job"
    )
    await tab.send_message(**request, requestId="r-2")
    assert (await tab.receive_until("error"))[-1]["field"] == "uploadId"


async def test_crisis_in_transcript_shows_help_lines(alice, cluster, provider):
    provider.script(match="recording", text="I want to kill myself.")
    tab = await alice.open()
    await submit_recording(alice, requestId="r-1", send="true")

    events = await tab.receive_until("care:help")

    assert "audio:completed" in [event["type"] for event in events]
    assert (events[-1]["requestId"], events[-1]["level"]) == ("r-1", "danger")
    await eventually(
        lambda: CareCount.objects.filter(companion="travel", shown=1).exists(), "the count of help lines"
    )
