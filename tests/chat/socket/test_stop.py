"""Cancelling works from every place, and reaches the provider within a second."""

from typing import Any

import pytest

from queueing.api import Job
from tests.chat.browser import Browser, Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

LONG = " ".join(["on and on"] * 1000)


async def by_the_tab(alice: Browser, tab: Tab, job_id: str) -> None:
    await tab.send_message(type="job:cancel", jobId=job_id)


async def by_another_tab(alice: Browser, tab: Tab, job_id: str) -> None:
    other = await alice.open()
    await other.send_message(type="job:cancel", jobId=job_id)


async def by_a_reloaded_tab(alice: Browser, tab: Tab, job_id: str) -> None:
    await tab.disconnect()
    reopened = await alice.open()
    await reopened.send_message(type="job:watch", jobId=job_id)
    await reopened.receive_until("chat:delta")
    await reopened.send_message(type="job:cancel", jobId=job_id)


async def over_http(alice: Browser, tab: Tab, job_id: str) -> None:
    assert (await alice.call("delete", f"/api/jobs/{job_id}")).status_code == 200


async def by_deleting_the_thread(alice: Browser, tab: Tab, job_id: str) -> None:
    job = await Job.objects.aget(pk=job_id)
    assert (await alice.call("delete", f"/api/threads/{job.meta['threadId']}")).status_code == 204


@pytest.mark.parametrize(
    "stop",
    [
        by_the_tab,
        over_http,
        pytest.param(by_another_tab, marks=pytest.mark.slow),
        pytest.param(by_a_reloaded_tab, marks=pytest.mark.slow),
        pytest.param(by_deleting_the_thread, marks=pytest.mark.slow),
    ],
)
async def test_cancelling_closes_the_provider_connection_within_a_second(qcluster, provider, stop):
    for _ in range(2):  # whichever of the clusters has it
        qcluster(**provider.publishes)
    provider.script(text=LONG, delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        job_id = (await tab.receive_until("chat:delta"))[-1]["jobId"]
        await stop(alice, tab, job_id)
        await provider.eventually(lambda requests: requests[0].disconnected)
    job = await Job.objects.aget(pk=job_id)
    assert job.state == "cancelled"
    assert provider.requests[0].disconnected - job.finished_at.timestamp() < 1.0


async def test_cancelling_a_waiting_job_makes_no_provider_request(workers):
    workers.script(text=LONG, delay=0.05, times=3, match="busy")
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        for n in range(3):  # as many as run at once
            await tab.ask(f"busy {n}", f"r-{n}")
        await tab.receive_until("chat:delta")
        await tab.ask("waiting", "r-4")
        queued: dict[str, Any] = {}
        while queued.get("requestId") != "r-4":
            queued = (await tab.receive_until("chat:queued"))[-1]
        await other.send_message(type="job:cancel", jobId=queued["jobId"])
        cancelled: dict[str, Any] = {}
        while cancelled.get("jobId") != queued["jobId"]:
            cancelled = (await tab.receive_until("chat:cancelled"))[-1]
        assert cancelled["text"] == ""
        async for job in Job.objects.exclude(pk=queued["jobId"]):
            await tab.send_message(type="job:cancel", jobId=job.id.hex)
        await workers.eventually(lambda requests: all(r.disconnected for r in requests))
    assert len(workers.requests) == 3
