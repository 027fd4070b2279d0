"""Recordings that are cancelled or deleted."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message, Role
from chat.uploads.models import Upload
from queueing.api import Job, State
from tests.queueing.record.lifecycle import begin, end

from .recording_requests import TRANSCRIPT, ended_job, submit_recording

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def rows_of(query: Any) -> list[Any]:
    return await sync_to_async(list)(query)


async def test_cancel_disconnects_and_deletes_everything(alice, cluster, provider):
    provider.script(match="recording", status=0)
    tab = await alice.open()
    answer = await submit_recording(alice, send="true")
    await provider.eventually(lambda requests: requests)

    await tab.send_message(type="job:cancel", jobId=answer["jobId"])

    events = await tab.receive_until("audio:cancelled")
    (removed,) = [e for e in events if e["type"] == "thread:removed"]
    assert removed["messageIds"] == [answer["messageId"], answer["replyId"]]
    await provider.eventually(lambda requests: requests[0].disconnected)
    assert not await Upload.objects.aexists()
    assert not await Message.objects.aexists()
    assert (await Job.objects.aget(id=answer["replyJobId"])).is_finished


async def test_thread_deletion_deletes_recordings_and_transcripts(alice, cluster, provider):
    provider.script(match="recording", text=TRANSCRIPT)
    completed = await submit_recording(alice, send="true")
    await ended_job(completed["replyJobId"])
    provider.script(match="recording", status=500, times=2)
    failed = await submit_recording(alice, send="true", threadId=completed["threadId"])
    await ended_job(failed["jobId"])
    provider.script(match="recording", status=0)
    pending = await submit_recording(alice, send="true", threadId=completed["threadId"])

    await alice.call("delete", f"/api/threads/{completed['threadId']}")

    assert not await Upload.objects.aexists()
    assert (await ended_job(pending["jobId"])).state == State.CANCELLED
    async for job in Job.objects.all():
        assert TRANSCRIPT not in json.dumps([job.result, job.text, job.args, job.meta])


@pytest.mark.slow
async def test_killed_worker_transcription_completes_later(alice, qcluster, provider):
    provider.script(match="recording", status=0)
    provider.script(match="recording", text=TRANSCRIPT)
    first = qcluster(**provider.publishes)
    answer = await submit_recording(alice, send="true")
    await provider.eventually(lambda requests: requests)

    first.kill()
    await sync_to_async(qcluster)(**provider.publishes)

    job = await ended_job(answer["jobId"])
    assert (job.state, job.stalls) == (State.COMPLETED, 1)
    assert (await ended_job(answer["replyJobId"])).state == State.COMPLETED
    rows = await rows_of(Message.objects.values_list("role", "content"))
    assert rows[0] == (Role.USER, TRANSCRIPT)
    assert len(rows) == 2


async def test_failed_recording_can_be_deleted_but_not_edited(alice):
    answer = await submit_recording(alice, send="true")
    job = await Job.objects.aget(id=answer["jobId"])
    await sync_to_async(lambda: end(begin(job), State.FAILED, code="provider_error"))()

    response = await alice.call("patch", f"/api/messages/{answer['messageId']}", {"content": "Instead"})
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")

    assert (await alice.call("delete", f"/api/messages/{answer['messageId']}")).status_code == 204
    assert not await Message.objects.aexists()
    assert not await Upload.objects.aexists()
