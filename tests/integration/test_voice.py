"""Recordings over HTTP and the socket: accepted or refused, and what they become. Real workers listen
through a scripted provider."""

import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile

from chat.care.models import CareCount
from chat.models import Message, Role, Thread
from chat.uploads.models import Upload
from chat.usage.models import Usage
from chat.voice import ear
from chat.voice.jobs import FOR_GOOD, listen
from queueing.errors import Permanent
from queueing.models import Job
from queueing.states import State
from tests import speech
from tests.cluster import ClusterProcess
from tests.conftest import free_port, wait_until
from tests.integration.record_moves import begin, end
from tests.integration.tabs import Browser, browser, eventually
from tests.provider.fixture import Provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

SAID = "Where should I go in Lisbon on a rainy day?"


@pytest.fixture
async def alice():
    async with browser() as one:
        await one.client.get("/")
        yield one


@pytest.fixture
async def bob():
    async with browser() as one:
        await one.client.get("/")
        yield one


@pytest.fixture
def cluster(qcluster, provider: Provider) -> ClusterProcess:
    return qcluster(**provider.publishes, QUEUE_AUDIO_PROCESSING_BACKOFF_DELAY="0.1")


async def send(
    who: Browser, path: str = "/api/audio", data: bytes | None = None, name: str = "a.webm", **form: Any
):
    content = speech.WEBM.read_bytes() if data is None else data
    body = {"companion": "travel", "file": SimpleUploadedFile(name, content)} | form
    token = who.client.cookies["csrftoken"].value
    return await who.client.post(path, body, headers={"X-CSRFToken": token})


async def heard(who: Browser, **form: Any) -> dict[str, Any]:
    response = await send(who, **form)
    assert response.status_code == 202, response.content
    return response.json()


async def ended(job_id: str) -> Job:
    def over() -> Job | None:
        job = Job.objects.get(id=job_id)
        return job if job.is_finished else None

    return await sync_to_async(wait_until)(over, "the job's end")


def context(job: Job) -> Any:
    """All that the handler asks of it."""
    return SimpleNamespace(job_id=job.id.hex, owner=job.owner, progress=lambda done, total, label="": None)


async def everything(query: Any) -> list[Any]:
    return await sync_to_async(list)(query)


# --- accepted or refused --------------------------------------------------------------------------


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
    assert (await alice.client.get("/api/voice")).json()["reason"] == ear.NOT_SET_UP


async def test_the_page_is_told_while_the_demo_ear_is_not_up(alice, settings, provider):
    settings.DEMO_EAR = True
    settings.OPENAI_TRANSCRIPTION_BASE_URL = f"http://127.0.0.1:{free_port()}/v1"
    assert (await alice.client.get("/api/voice")).json()["reason"] == ear.STARTING

    settings.OPENAI_TRANSCRIPTION_BASE_URL = provider.base_url
    answer = (await alice.client.get("/api/voice")).json()
    assert (answer["ready"], answer["demo"], answer["maxBytes"]) == (True, True, 25 * 2**20)


# --- heard ----------------------------------------------------------------------------------------


async def test_a_transcript_is_handed_back_and_the_recording_is_gone(alice, cluster, provider):
    provider.script(match="recording", text=SAID)
    tab = await alice.open()
    answer = await heard(alice, requestId="r-1", language="en")

    events = await tab.hear_until("audio:completed")

    assert [e["type"] for e in events if e["type"] != "audio:position"][:2] == [
        "audio:queued",
        "audio:started",
    ]
    assert {e["label"] for e in events if e["type"] == "audio:progress"} & {"Listening to your recording"}
    assert events[-1]["response"] == SAID
    assert (await ended(answer["jobId"])).state == State.COMPLETED
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


async def test_one_sent_straight_on_gets_its_words_then_its_answer_and_only_then_comes_the_next(
    alice, cluster, provider
):
    provider.script(match="recording", text=SAID, wait=0.3)
    tab = await alice.open()
    answer = await heard(alice, requestId="r-1", send="true")
    next_one = {"message": "And then?", "threadId": answer["threadId"]}
    typed = (await alice.call("post", "/api/travel", next_one)).json()
    assert typed["estimatedWait"]["reason"] == "turn"

    events = await tab.hear_until("chat:completed")

    spoken = [e for e in events if e["jobId"] == answer["jobId"]]
    assert [(e["response"], e["replyJobId"]) for e in spoken if e["type"] == "audio:completed"] == [
        (SAID, answer["replyJobId"])
    ]
    assert events[-1]["jobId"] == answer["replyJobId"]
    await ended(typed["jobId"])
    asked = [r.json["messages"][-1]["content"] for r in provider.requests if "messages" in r.json]
    assert [question for question in asked if not question.endswith("The title:")] == [SAID, "And then?"]
    thread = (await alice.call("get", f"/api/threads/{answer['threadId']}")).json()
    assert thread["title"] not in ("", "Voice message")
    question, reply = thread["messages"][:2]
    assert (question["content"], question["status"]) == (SAID, "completed")
    assert question["jobId"] == reply["jobId"] == answer["replyJobId"], "now it is a question like any other"
    assert "Where should I go in Lisbon" in reply["content"]
    assert not await Upload.objects.aexists()


async def test_the_socket_names_what_was_uploaded(alice, bob):
    upload = (await send(alice, "/api/audio/uploads")).json()["uploadId"]
    request = {"type": "audio:process", "companion": "travel", "uploadId": upload, "send": True}

    other = await bob.open()
    await other.say(**request, requestId="r-1")
    refused = await other.hear()
    assert (refused["type"], refused["field"]) == ("error", "uploadId"), "it is not Bob's"

    tab, second = await alice.open(), await alice.open()
    await tab.say(**request, requestId="r-1")
    for one in (tab, second):
        queued = await one.hear()
        assert (queued["type"], queued["requestId"], queued["position"]) == ("audio:queued", "r-1", 1)
    await tab.say(**request, requestId="r-1")
    assert (await tab.hear())["jobId"] == queued["jobId"], "told once, and again when asked again"
    await tab.say(**request, requestId="r-2")
    assert (await tab.hear_until("error"))[-1]["field"] == "uploadId"


async def test_who_speaks_of_a_crisis_is_shown_help_with_the_words(alice, cluster, provider):
    provider.script(match="recording", text="I want to kill myself.")
    tab = await alice.open()
    await heard(alice, requestId="r-1", send="true")

    events = await tab.hear_until("care:help")

    assert "audio:completed" in [event["type"] for event in events]
    assert (events[-1]["requestId"], events[-1]["level"]) == ("r-1", "danger")
    await eventually(lambda: CareCount.objects.filter(companion="travel", shown=1).exists(), "its count")


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["", " \n", "…", ". . ."])
async def test_silence_is_told_in_a_sentence_and_is_for_good(alice, provider, said):
    provider.script(match="recording", text=said)
    job = await Job.objects.aget(id=(await heard(alice))["jobId"])

    with pytest.raises(Permanent, match="No speech could be heard") as caught:
        await listen(context(job), **job.args)
    assert caught.value.code in FOR_GOOD


@pytest.mark.parametrize(("code", "kept"), [("no_speech", 0), ("unreadable", 0), ("provider_error", 1)])
async def test_a_failure_keeps_the_recording_only_where_trying_again_may_help(alice, code, kept):
    answer = await heard(alice, send="true")
    job = await Job.objects.aget(id=answer["jobId"])

    await sync_to_async(lambda: end(begin(job), State.FAILED, code=code, error="It did not work."))()

    assert await Upload.objects.acount() == kept
    question = (await alice.call("get", f"/api/threads/{answer['threadId']}")).json()["messages"][0]
    assert (question["status"], question["code"], question["error"]) == ("failed", code, "It did not work.")


async def test_a_recording_that_is_not_there_any_more_is_told_in_a_sentence(alice):
    job = await Job.objects.aget(id=(await heard(alice))["jobId"])
    await Upload.objects.all().adelete()

    with pytest.raises(Permanent, match="record it again") as caught:
        await listen(context(job), **job.args)
    assert caught.value.code == "expired"


async def test_waits_and_troubles_are_lived_through(alice, cluster, provider):
    provider.script(
        match="recording", status=429, code="rate_limit_exceeded", headers={"retry-after-ms": "300"}
    )
    provider.script(match="recording", status=500)
    provider.script(match="recording", text=SAID)
    job = await ended((await heard(alice))["jobId"])

    assert (job.state, job.attempts, job.runs) == (State.COMPLETED, 2, 3), "the wait spent no attempt"
    assert (await Usage.objects.aget()).seconds_of_audio == 3, "what came of it is on the books, once"
    first, second, _ = provider.requests
    assert second.started - first.started >= 0.3


async def test_a_failed_one_still_has_its_recording_and_all_goes_on_when_it_is_tried_again(
    alice, cluster, provider
):
    provider.script(match="recording", status=500, times=2)
    answer = await heard(alice, send="true")
    assert (await ended(answer["jobId"])).state == State.FAILED
    assert await Upload.objects.acount() == 1
    assert (await ended(answer["replyJobId"])).error_code == "parent_failed"

    provider.script(match="recording", text=SAID)
    retried = await alice.call("post", f"/api/jobs/{answer['jobId']}/retry")
    assert retried.status_code == 202

    assert (await ended(answer["jobId"])).state == State.COMPLETED
    assert (await ended(answer["replyJobId"])).state == State.COMPLETED
    assert not await Upload.objects.aexists()
    assert (await Message.objects.aget(role=Role.USER)).content == SAID


# --- taken back -----------------------------------------------------------------------------------


async def test_cancelling_hangs_up_and_leaves_nothing(alice, cluster, provider):
    provider.script(match="recording", status=0)
    tab = await alice.open()
    answer = await heard(alice, send="true")
    await provider.eventually(lambda requests: requests)

    await tab.say(type="job:cancel", jobId=answer["jobId"])

    events = await tab.hear_until("audio:cancelled")
    (removed,) = [e for e in events if e["type"] == "thread:removed"]
    assert removed["messageIds"] == [answer["messageId"], answer["replyId"]]
    await provider.eventually(lambda requests: requests[0].disconnected)
    assert not await Upload.objects.aexists()
    assert not await Message.objects.aexists()
    assert (await Job.objects.aget(id=answer["replyJobId"])).is_finished


async def test_a_deleted_conversation_takes_recordings_and_transcripts_along(alice, cluster, provider):
    provider.script(match="recording", text=SAID)
    done = await heard(alice, send="true")
    await ended(done["replyJobId"])
    provider.script(match="recording", status=500, times=2)
    failed = await heard(alice, send="true", threadId=done["threadId"])
    await ended(failed["jobId"])
    provider.script(match="recording", status=0)
    waits = await heard(alice, send="true", threadId=done["threadId"])

    await alice.call("delete", f"/api/threads/{done['threadId']}")

    assert not await Upload.objects.aexists()
    assert (await ended(waits["jobId"])).state == State.CANCELLED
    async for job in Job.objects.all():
        assert SAID not in json.dumps([job.result, job.text, job.args, job.meta])


@pytest.mark.slow
async def test_a_worker_killed_while_it_listens_costs_nothing_but_time(alice, qcluster, provider):
    provider.script(match="recording", status=0)
    provider.script(match="recording", text=SAID)
    first = qcluster(**provider.publishes)
    answer = await heard(alice, send="true")
    await provider.eventually(lambda requests: requests)

    first.kill()
    await sync_to_async(qcluster)(**provider.publishes)

    job = await ended(answer["jobId"])
    assert (job.state, job.stalls) == (State.COMPLETED, 1)
    assert (await ended(answer["replyJobId"])).state == State.COMPLETED
    rows = await everything(Message.objects.values_list("role", "content"))
    assert rows[0] == (Role.USER, SAID)
    assert len(rows) == 2


async def test_an_unheard_recording_cannot_be_edited_but_withdrawn(alice):
    answer = await heard(alice, send="true")
    job = await Job.objects.aget(id=answer["jobId"])
    await sync_to_async(lambda: end(begin(job), State.FAILED, code="provider_error"))()

    response = await alice.call("patch", f"/api/messages/{answer['messageId']}", {"content": "Instead"})
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")

    assert (await alice.call("delete", f"/api/messages/{answer['messageId']}")).status_code == 204
    assert not await Message.objects.aexists()
    assert not await Upload.objects.aexists()
