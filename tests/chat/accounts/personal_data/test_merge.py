"""Signing up or in merges the visitor's conversations into the user's."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from chat.models import Thread
from queueing.api import Job
from queueing.schedule import scripts
from tests.chat.accounts.account_client import send_message, sign_in, sign_up, submit_form, thread_titles
from tests.chat.browser import browser, text_of
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_sign_up_with_conversations_gives_them_to_the_user():
    async with browser() as alice:
        await send_message(alice, "From before")
        response = await sign_up(alice)
        assert (response.status_code, response["Location"]) == (302, "/")
        assert await thread_titles(alice) == ["From before"]
        user = await User.objects.aget()
        assert {thread.owner async for thread in Thread.objects.all()} == {f"u:{user.pk}"}
        assert {job.owner async for job in Job.objects.all()} == {f"u:{user.pk}"}


async def test_sign_in_with_conversations_adds_them_to_the_users():
    async with browser() as laptop, browser() as phone:
        await send_message(laptop, "On the laptop")
        await sign_up(laptop)
        await send_message(phone, "On the phone")
        await sign_in(phone)
        assert sorted(await thread_titles(phone)) == ["On the laptop", "On the phone"]
        assert sorted(await thread_titles(laptop)) == ["On the laptop", "On the phone"]


async def test_sign_out_shows_no_conversation_to_the_next_visitor():
    async with browser() as alice:
        await sign_up(alice)
        await send_message(alice)
        await submit_form(alice, "sign-out/")
        assert await thread_titles(alice) == []


async def test_merge_with_equal_request_ids_keeps_both_threads():
    async with browser() as alice, browser() as bob:
        for one in (alice, bob):
            await one.client.get("/")
            await one.call("post", "/api/travel", {"message": "Hi", "requestId": "r-1"})
        await sign_up(alice)
        await sign_in(bob)
        assert len(await thread_titles(bob)) == 2


async def test_message_sent_during_sign_up_is_merged_with_the_next_page():
    async with browser() as alice:
        await send_message(alice, "Early")
        old = (await Thread.objects.aget()).owner
        await sign_up(alice)
        late = await Thread.objects.aget()
        await Thread.objects.filter(pk=late.pk).aupdate(owner=old)
        assert await thread_titles(alice) == []
        await alice.client.get("/")
        assert await thread_titles(alice) == ["Early"]


async def test_reply_in_progress_continues_after_sign_up(workers):
    workers.script(text="one two three four five six seven eight " * 5, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Count, please")
        first = (await tab.receive_until("chat:delta"))[-1]
        await sign_up(alice)
        assert await tab.receive_close_code(5) == 4401
        again = await alice.open()
        await again.send_message(type="job:watch", jobId=first["jobId"])
        heard = await again.receive_until("chat:completed")
        deltas = [event for event in heard if event["type"] == "chat:delta"]
        assert len(deltas) > 5, "the text continues to stream"
        assert text_of(heard) == heard[-1]["response"]
        assert (await alice.client.get(f"/api/jobs/{first['jobId']}")).json()["status"] == "completed"


async def test_merged_jobs_can_be_cancelled_and_leave_no_counts_in_redis(workers, valkey):
    workers.script(text="word " * 500, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Talk, please")
        first = (await tab.receive_until("chat:delta"))[-1]
        waiting = await send_message(alice, "And this waits")
        await sign_up(alice)
        again = await alice.open()
        for job_id in (first["jobId"], waiting["jobId"]):
            await again.send_message(type="job:cancel", jobId=job_id)
        await again.receive_until("chat:cancelled")
        await eventually(lambda: workers.requests[0].disconnected, "the call to end")

        def counts() -> list[Any]:
            keys = [scripts.queue_key("openai-chat", name) for name in ("owner_unfinished", "owner_active")]
            return [valkey.client.hgetall(key) for key in keys]

        await eventually(lambda: counts() == [{}, {}], "the counts of the cancelled jobs to be decremented")


async def test_merged_job_events_are_readable_over_http(workers):
    workers.script(text="one two three " * 10, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Count, please")
        first = (await tab.receive_until("chat:delta"))[-1]
        await sign_up(alice)
        response = await alice.client.get(f"/api/jobs/{first['jobId']}/events")
        text = b"".join([piece async for piece in response.streaming_content]).decode()
        assert text.count("event: chat:delta") > 3
        assert "event: chat:completed" in text
