"""Telling never harms the teller: an event that cannot be sent is lost alone (E8, E15)."""

import asyncio

import pytest
from channels.layers import get_channel_layer

from queueing.events import delivery
from queueing.schedule import redis_client

pytestmark = pytest.mark.usefixtures("valkey")


@pytest.mark.parametrize("bad", [2**70, {1, 2}, "\ud800", object()])
async def test_event_that_cannot_be_sent_is_lost_alone(bad, caplog):
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(delivery.group_of("alice"), channel)
    await delivery.emit("alice", {"type": "test:delta", "n": bad})
    await delivery.emit_many([("alice", {"type": "test:delta", "n": n}) for n in (1, bad, 2)])
    async with asyncio.timeout(5):
        received = [(await layer.receive(channel))["event"]["n"] for _ in range(2)]
    assert received == [1, 2]
    assert caplog.text.count("cannot be sent") == 2
    await layer.flush()
    await redis_client.aclose()


async def test_layer_that_does_not_answer_delays_nothing_for_long(monkeypatch, caplog):
    monkeypatch.setattr(delivery, "_SEND_TIMEOUT", 0.05)
    monkeypatch.setattr(get_channel_layer(), "group_send", lambda *_: asyncio.sleep(600))
    async with asyncio.timeout(5):
        await delivery.emit("alice", {"type": "test:delta"})
    assert "1 events were lost" in caplog.text
