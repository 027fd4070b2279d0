"""What a visitor did before signing up or in comes along."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from chat.models import Thread
from queueing.api import Job
from queueing.schedule import scripts
from tests.chat.tabs import browser, eventually, text_of

from .signing import asked, posted, signed_in, signed_up, titles

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_signing_up_keeps_the_conversations_of_the_visitor():
    async with browser() as alice:
        await asked(alice, "From before")
        response = await signed_up(alice)
        assert (response.status_code, response["Location"]) == (302, "/")
        assert await titles(alice) == ["From before"]
        user = await User.objects.aget()
        assert {thread.owner async for thread in Thread.objects.all()} == {f"u:{user.pk}"}
        assert {job.owner async for job in Job.objects.all()} == {f"u:{user.pk}"}


async def test_signing_in_adds_them_to_what_the_user_has_elsewhere():
    async with browser() as laptop, browser() as phone:
        await asked(laptop, "On the laptop")
        await signed_up(laptop)
        await asked(phone, "On the phone")
        await signed_in(phone)
        assert sorted(await titles(phone)) == ["On the laptop", "On the phone"]
        assert sorted(await titles(laptop)) == ["On the laptop", "On the phone"]


async def test_signing_out_leaves_nothing_to_the_next_visitor():
    async with browser() as alice:
        await signed_up(alice)
        await asked(alice)
        await posted(alice, "sign-out/")
        assert await titles(alice) == []


async def test_the_same_request_id_before_and_after_does_not_stop_the_move():
    async with browser() as alice, browser() as bob:
        for one in (alice, bob):
            await one.client.get("/")
            await one.call("post", "/api/travel", {"message": "Hi", "requestId": "r-1"})
        await signed_up(alice)
        await signed_in(bob)
        assert len(await titles(bob)) == 2


async def test_what_came_late_is_fetched_with_the_next_page():
    async with browser() as alice:
        await asked(alice, "Early")
        old = (await Thread.objects.aget()).owner
        await signed_up(alice)
        late = await Thread.objects.aget()
        await Thread.objects.filter(pk=late.pk).aupdate(owner=old)
        assert await titles(alice) == []
        await alice.client.get("/")
        assert await titles(alice) == ["Early"]


async def test_an_answer_on_its_way_goes_on_for_the_user(workers):
    workers.script(text="one two three four five six seven eight " * 5, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Count, please")
        first = (await tab.hear_until("chat:delta"))[-1]
        await signed_up(alice)
        assert await tab.closed_with(5) == 4401
        again = await alice.open()
        await again.say(type="job:watch", jobId=first["jobId"])
        heard = await again.hear_until("chat:completed")
        deltas = [event for event in heard if event["type"] == "chat:delta"]
        assert len(deltas) > 5, "it streams on, and is not only told at its end"
        assert text_of(heard) == heard[-1]["response"]
        assert (await alice.client.get(f"/api/jobs/{first['jobId']}")).json()["status"] == "completed"


async def test_an_answer_on_its_way_can_be_cancelled_by_the_user_and_nothing_is_left_in_redis(
    workers, valkey
):
    workers.script(text="word " * 500, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Talk, please")
        first = (await tab.hear_until("chat:delta"))[-1]
        waiting = await asked(alice, "And this waits")
        await signed_up(alice)
        again = await alice.open()
        for job_id in (first["jobId"], waiting["jobId"]):
            await again.say(type="job:cancel", jobId=job_id)
        await again.hear_until("chat:cancelled")
        await eventually(lambda: workers.requests[0].disconnected, "the call to end")

        def counts() -> list[Any]:
            keys = [scripts.queue_key("openai-chat", name) for name in ("owner_unfinished", "owner_active")]
            return [valkey.client.hgetall(key) for key in keys]

        await eventually(lambda: counts() == [{}, {}], "what was charged to be given back")


async def test_the_events_of_a_moved_job_are_read_over_http_as_well(workers):
    workers.script(text="one two three " * 10, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Count, please")
        first = (await tab.hear_until("chat:delta"))[-1]
        await signed_up(alice)
        response = await alice.client.get(f"/api/jobs/{first['jobId']}/events")
        told = b"".join([piece async for piece in response.streaming_content]).decode()
        assert told.count("event: chat:delta") > 3
        assert "event: chat:completed" in told
