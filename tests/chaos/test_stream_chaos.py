"""Failures while an answer streams: the text arrives whole, and a terminal event follows."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from queueing.api import Job, remove
from queueing.events.channel_layer import PubSubLayer
from queueing.events.inbox import BoundedInbox
from queueing.texts import WORKER_LOST
from tests.chat.browser import Tab, browser
from tests.chat.socket.stream_client import Reading
from tests.support.valkey import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey"), pytest.mark.slow]

HALF = " ".join(f"half{n}" for n in range(40))
WHOLE = " ".join(f"wörd{n} 🙂" for n in range(120))


async def asked(tab: Tab, **more: Any) -> Reading:
    """Send a question; return a `Reading` of its answer."""
    await tab.ask(**more)
    return Reading((await tab.receive_until("chat:queued"))[-1]["jobId"])


@pytest.fixture
def start(qcluster: Callable[..., Any], provider: Any) -> Callable[..., Any]:
    """Return a function that starts a cluster whose model is the scripted provider."""
    return lambda **env: qcluster(**provider.publishes, **env)


async def test_killed_worker_leaves_nothing_of_its_partial_answer(start, provider):
    cluster = start()
    provider.script(text=HALF, end="stall", delay=0.01)
    provider.script(text=WHOLE, delay=0.005)
    async with browser() as alice:
        tab, other = await alice.open(), await alice.open()
        reading = await asked(tab)
        await reading.follow(tab, len(HALF))
        assert reading.text == HALF
        os.kill(cluster.workers()[0], signal.SIGKILL)
        retrying = (await tab.receive_until("chat:retrying"))[-1]
        assert (retrying["code"], retrying["reason"]) == ("stalled", WORKER_LOST)
        await reading.follow(tab)
        assert reading.runs == [1, 2]
        assert reading.text == reading.ending["response"] == WHOLE

        second = Reading(reading.job_id)
        await second.follow(other)
        assert second.text == second.ending["response"] == WHOLE, "the other tab is in step"


async def test_job_over_its_stall_limit_fails_with_an_event(start, provider):
    cluster = start(QUEUE_OPENAI_CHAT_MAX_STALLED="0")
    provider.script(text=HALF, end="stall")
    async with browser() as alice:
        tab = await alice.open()
        reading = await asked(tab)
        await reading.follow(tab, len(HALF))
        os.kill(cluster.workers()[0], signal.SIGKILL)
        await reading.follow(tab)
        assert (reading.ending["type"], reading.ending["code"]) == ("chat:failed", "stalled")


async def test_redis_flushed_mid_answer_gets_the_text_again(start, provider, valkey):
    start()
    provider.script(text=WHOLE, delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        reading = await asked(tab)
        await reading.follow(tab, 100)
        await asyncio.to_thread(valkey.client.flushall)
        await reading.follow(tab)
        assert reading.ending["response"] == WHOLE
        assert (reading.runs, reading.gaps) == ([1], 0)


async def test_redis_restarted_mid_answer_loses_no_text(start, provider, valkey):
    start()
    provider.script(text=WHOLE, delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        reading = await asked(tab)
        await reading.follow(tab, 100)
        await asyncio.to_thread(valkey.stop)
        await asyncio.to_thread(valkey.start)
        await reading.follow(tab)
        assert reading.ending["response"] == WHOLE
        assert WHOLE.startswith(reading.text)


async def test_redis_unavailable_at_the_end_clients_get_the_terminal_event(start, provider, valkey):
    start()
    provider.script(text=HALF, delay=0.02)
    async with browser() as alice:
        tab = await alice.open()
        reading = await asked(tab)
        await reading.follow(tab, 20)
        await asyncio.to_thread(valkey.stop)
        await eventually(lambda: Job.objects.filter(state="completed").exists(), "the end on record")
        await reading.follow(tab)
        assert reading.ending["response"] == HALF
        await asyncio.to_thread(valkey.start)


class LayerWithoutEndings(PubSubLayer):
    """A channel layer that loses the events of retries and ends."""

    def new_inbox(self) -> BoundedInbox:
        return _InboxWithoutEndings(self.deserialize)


class _InboxWithoutEndings(BoundedInbox):
    def put_nowait(self, item: bytes) -> None:
        event = self._deserialize(item).get("event", {})
        if not event.get("type", "").endswith(("ed", "retrying")):
            super().put_nowait(item)


async def test_lost_terminal_event_is_made_up_for(workers, settings):
    layer = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": layer | {"BACKEND": f"{__name__}.LayerWithoutEndings"}}
    workers.script(text=WHOLE, match="complete")
    workers.script(status=401, code="invalid_api_key", match="fail")
    workers.script(text=HALF, end="stall", match="cancel", times=0)
    async with browser() as alice:
        for word, ending in [("complete", "chat:completed"), ("fail", "chat:failed")]:
            tab = await alice.open()
            reading = await asked(tab, text=f"Please {word}", request_id=word)
            await reading.follow(tab)
            assert reading.ending["type"] == ending

        tab, other = await alice.open(), await alice.open()
        reading = await asked(tab, text="Please cancel", request_id="cancel")
        await reading.follow(tab, len(HALF))
        await other.send_message(type="job:cancel", jobId=reading.job_id)
        await reading.follow(tab)
        assert (reading.ending["type"], reading.ending["text"]) == ("chat:cancelled", HALF)


async def test_removed_job_sends_a_terminal_event():
    async with browser() as alice:
        tab = await alice.open()
        reading = await asked(tab)
        await sync_to_async(remove)(reading.job_id)
        await reading.follow(tab)
        assert reading.ending["type"] == "chat:cancelled"
        assert reading.ending["threadId"]
