"""Recordings that cannot be transcribed, or not at the first attempt."""

from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message, Role
from chat.uploads.models import Upload
from chat.usage.models import ModelCall
from chat.voice.jobs import FINAL_CODES, transcribe_recording
from queueing.api import Job, Permanent, State
from tests.queueing.record.lifecycle import begin, end

from .recording_requests import TRANSCRIPT, ended_job, submit_recording

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def context(job: Job) -> Any:
    """Return the part of a job's context that the handler uses."""
    return SimpleNamespace(
        job_id=job.id.hex, owner=job.owner, kind=job.kind, progress=lambda done, total, label="": None
    )


@pytest.mark.parametrize("transcript", ["", " \n", "…", ". . ."])
async def test_silence_fails_permanently_with_message(alice, provider, transcript):
    provider.script(match="recording", text=transcript)
    job = await Job.objects.aget(id=(await submit_recording(alice))["jobId"])

    with pytest.raises(Permanent, match="No speech could be heard") as caught:
        await transcribe_recording(context(job), **job.args)
    assert caught.value.code in FINAL_CODES


@pytest.mark.parametrize(("code", "kept"), [("no_speech", 0), ("unreadable", 0), ("provider_error", 1)])
async def test_failed_recording_is_kept_only_if_retry_can_help(alice, code, kept):
    answer = await submit_recording(alice, send="true")
    job = await Job.objects.aget(id=answer["jobId"])

    await sync_to_async(lambda: end(begin(job), State.FAILED, code=code, error="It did not work."))()

    assert await Upload.objects.acount() == kept
    question = (await alice.call("get", f"/api/threads/{answer['threadId']}")).json()["messages"][0]
    assert (question["status"], question["code"], question["error"]) == ("failed", code, "It did not work.")


async def test_deleted_recording_fails_with_message(alice):
    job = await Job.objects.aget(id=(await submit_recording(alice))["jobId"])
    await Upload.objects.all().adelete()

    with pytest.raises(Permanent, match="record it again") as caught:
        await transcribe_recording(context(job), **job.args)
    assert caught.value.code == "expired"


async def test_cooldown_and_failed_probe_cost_no_attempt(alice, cluster, provider):
    provider.script(
        match="recording", status=429, code="rate_limit_exceeded", headers={"retry-after-ms": "300"}
    )
    provider.script(match="recording", status=500)
    provider.script(match="recording", text=TRANSCRIPT)
    job = await ended_job((await submit_recording(alice))["jobId"])

    assert (job.state, job.attempts, job.run_count) == (State.COMPLETED, 1, 3)
    assert (await ModelCall.objects.aget()).seconds_of_audio == 3, "usage is recorded once"
    first, second, _ = provider.requests
    assert second.started - first.started >= 0.3


async def test_retry_of_failed_recording_completes_question_and_reply(alice, cluster, provider):
    provider.script(match="recording", status=500, times=2)
    answer = await submit_recording(alice, send="true")
    assert (await ended_job(answer["jobId"])).state == State.FAILED
    assert await Upload.objects.acount() == 1
    assert (await ended_job(answer["replyJobId"])).error_code == "parent_failed"

    provider.script(match="recording", text=TRANSCRIPT)
    retried = await alice.call("post", f"/api/jobs/{answer['jobId']}/retry")
    assert retried.status_code == 202

    assert (await ended_job(answer["jobId"])).state == State.COMPLETED
    assert (await ended_job(answer["replyJobId"])).state == State.COMPLETED
    assert not await Upload.objects.aexists()
    assert (await Message.objects.aget(role=Role.USER)).content == TRANSCRIPT
