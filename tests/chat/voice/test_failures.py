"""Recordings that cannot be heard, or not at the first try."""

from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message, Role
from chat.uploads.models import Upload
from chat.usage.models import ModelCall
from chat.voice.jobs import FOR_GOOD, listen
from queueing.api import Job, Permanent, State
from tests.queueing.record.moves import begin, end

from .sending import SAID, ended, heard

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def context(job: Job) -> Any:
    """All that the handler asks of it."""
    return SimpleNamespace(job_id=job.id.hex, owner=job.owner, progress=lambda done, total, label="": None)


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

    assert (job.state, job.attempts, job.run_count) == (State.COMPLETED, 2, 3), "the wait spent no attempt"
    assert (await ModelCall.objects.aget()).seconds_of_audio == 3, "what came of it is on the books, once"
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
