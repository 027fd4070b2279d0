"""Position, reason of the wait, and pressure of the queues are pushed when they change."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from queueing.api import cancel, pause, resume, submit_many
from queueing.api.events import PressureWatch
from queueing.schedule import redis_client, scripts
from tests.chat.browser import Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

QUEUE = "openai-chat"


async def told(tab: Tab, reason: str, position: int | None = 1) -> dict[str, Any]:
    """Return the next pushed wait with this reason."""
    event = (await tab.receive_until("chat:position"))[-1]
    assert (event["position"], event["estimatedWait"]["reason"]) == (position, reason), event
    return event["estimatedWait"]


def a_worker(valkey: Any) -> None:
    """Write the heartbeat of a worker that claims nothing."""
    worker = {"id": "w1", "cluster": "c1", "at": time.time() + 60}
    valkey.client.hset(scripts.key("workers"), "w1", json.dumps(worker))


def recent_runs(valkey: Any, *seconds: float) -> None:
    key = scripts.queue_key(QUEUE, "durations")
    valkey.client.delete(key)
    valkey.client.rpush(key, *[int(s * 1000) for s in seconds])


async def off_thread(act: Callable[..., Any], *args: Any) -> Any:
    return await sync_to_async(act, thread_sensitive=False)(*args)


async def test_wait_reason_is_pushed_when_it_changes(valkey):
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        queued = (await tab.receive_until("chat:queued"))[-1]
        assert queued["estimatedWait"]["reason"] == "workers"
        await off_thread(pause, QUEUE)
        assert (await told(tab, "paused"))["high"] is None
        await off_thread(resume, QUEUE)
        await told(tab, "workers")
        a_worker(valkey)
        assert await told(tab, "queue") == {"low": 0, "high": 0, "reason": "queue"}
        refusal = scripts.ProviderEnd("f" * 32, "cooldown", 30)
        await off_thread(redis_client.run, scripts.report("openai", [QUEUE], [refusal]))
        wait = await told(tab, "provider")
        assert 25 <= wait["low"] <= 30
        valkey.stop()
        await told(tab, "redis", None)
        valkey.start()


async def test_wait_for_the_limiter_has_the_reason_rate_limit(valkey, settings):
    queues = settings.QUEUEING["QUEUES"]
    limited = queues[QUEUE] | {"limiter": {"max": 1, "duration": 60}}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": queues | {QUEUE: limited}}
    a_worker(valkey)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("One", "r-1")
        await tab.receive_until("chat:queued")
        await tab.ask("Two", "r-2")
        queued = (await tab.receive_until("chat:queued"))[-1]
        assert (queued["position"], queued["estimatedWait"]["reason"]) == (2, "rate_limit")
        assert queued["estimatedWait"]["low"] > 30


async def test_longer_wait_is_pushed_with_its_reason(valkey):
    a_worker(valkey)
    recent_runs(valkey, *[2.0] * 8)
    async with browser() as alice:
        tab = await alice.open()
        for n in range(4):
            await tab.ask(f"Question {n}", f"r-{n}")
            queued = (await tab.receive_until("chat:queued"))[-1]
        assert queued["position"] == 4
        assert queued["estimatedWait"]["high"] in (2, 3)
        recent_runs(valkey, *[2.4] * 8)  # a swing: nothing is said
        recent_runs(valkey, *[20.0] * 8)
        slow = await told(tab, "slow", 4)
        assert 20 <= slow["high"] <= 30


async def test_positions_are_pushed_as_the_line_moves(valkey):
    a_worker(valkey)
    async with browser() as alice:
        tab = await alice.open()
        asked = []
        for n in range(3):
            await tab.ask(f"Question {n}", f"r-{n}")
            asked.append((await tab.receive_until("chat:queued"))[-1])
        assert [queued["position"] for queued in asked] == [1, 2, 3]
        await tab.send_message(type="job:cancel", jobId=asked[0]["jobId"])
        moved = {}
        while len(moved) < 2:
            event = (await tab.receive_until("chat:position"))[-1]
            moved[event["jobId"]] = event["position"]
        assert moved == {asked[1]["jobId"]: 1, asked[2]["jobId"]: 2}


async def test_pressure_is_sent_to_all_on_change_and_to_new_sockets(monkeypatch, settings):
    monkeypatch.setattr(PressureWatch, "every", 0.1)
    queues = settings.QUEUEING["QUEUES"]
    small = queues["test"] | {"soft_limit": 2, "hard_limit": 4}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": queues | {"test": small}}
    async with browser() as alice, browser() as bob:
        tabs = [await alice.open(), await bob.open()]
        jobs = await off_thread(submit_many, "test.noop", [{}, {}, {}])
        for tab in tabs:
            assert await tab.receive_event() == {
                "type": "queue:pressure",
                "queue": "test",
                "level": "throttled",
            }
        newcomer = await bob.open()
        assert (await newcomer.receive_event())["level"] == "throttled"
        await off_thread(submit_many, "test.noop", [{}])
        assert (await tabs[0].receive_event())["level"] == "full"
        for job in jobs:
            await off_thread(cancel, job.id)
        levels = [(await tabs[1].receive_event())["level"]]
        while levels[-1] != "normal":
            levels.append((await tabs[1].receive_event())["level"])
        assert levels in (["full", "normal"], ["full", "throttled", "normal"])
