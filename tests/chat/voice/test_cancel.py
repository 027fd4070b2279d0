"""Recordings that are cancelled, withdrawn, or belong to somebody who leaves."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message, Role
from chat.uploads.models import Upload
from queueing.api import Job, State
from tests.queueing.record.moves import begin, end

from .sending import SAID, ended, heard

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def everything(query: Any) -> list[Any]:
    return await sync_to_async(list)(query)


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
