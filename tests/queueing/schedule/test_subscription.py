"""Subscriptions that freeze, break or lose their node are made again (E1, K2)."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import pytest
from channels.layers import get_channel_layer

from queueing.schedule import redis_client, subscription
from queueing.schedule.server import server
from queueing.schedule.subscription import Subscription
from tests.support.valkey import eventually


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Silence is tested soon."""
    monkeypatch.setattr(subscription, "_PING_AFTER", 0.2)
    monkeypatch.setattr(subscription, "_ANSWER_WITHIN", 0.3)
    monkeypatch.setattr(subscription, "_RETRY_DELAY", 0.05)


@asynccontextmanager
async def listening(*channels: str):
    """A running subscription, what it has heard, and how often it has connected."""
    heard: list[str] = []
    connected: list[float] = []
    found = Subscription(
        server(), lambda _, data: heard.append(data.decode()), lambda: connected.append(time.monotonic())
    )
    task = asyncio.create_task(found.run())
    for channel in channels:
        await found.add(channel)
    yield found, heard, connected
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_subscription_receives_each_channel_until_it_is_discarded(valkey):
    async with listening("one", "two") as (found, heard, _):
        for channel in ("one", "two"):
            await redis_client.aclient().publish(channel, channel)
        await found.discard("one")
        await eventually(lambda: valkey.client.pubsub_numsub("one")[0][1] == 0, "the end of one")
        await redis_client.aclient().publish("two", "still")
        await eventually(lambda: heard == ["one", "two", "still"], "all messages")
    await eventually(lambda: valkey.client.pubsub_channels() == [], "the connection to be closed")


async def test_frozen_subscription_is_made_again(proxy, valkey):
    """E1: nothing closes the connection, and nothing arrives on it."""
    async with listening("one") as (_, heard, connected):
        proxy.freeze()
        await eventually(lambda: len(connected) == 2, "another connection")
        valkey.client.publish("one", "after")
        await eventually(lambda: heard == ["after"], "the message")


async def test_silent_subscription_stays(valkey):
    async with listening("one") as (found, _, connected):
        before = time.monotonic()
        await eventually(lambda: found.heard_at > before + 1, "answers to pings")
        assert len(connected) == 1


async def test_subscription_without_channels_stays_and_takes_new_ones(valkey):
    """The answer to a ping has another form then. A probe of /readyz leaves no channel behind."""
    async with listening("one") as (found, heard, _):
        await found.discard("one")
        before = time.monotonic()
        await eventually(lambda: found.heard_at > before + 0.5, "answers to pings")
        await found.add("two")
        valkey.client.publish("two", "hello")
        await eventually(lambda: heard == ["hello"], "the message")


async def test_failing_receiver_does_not_end_the_subscription(valkey):
    heard: list[str] = []

    def receive(_: str, data: bytes) -> None:
        if data == b"bad":
            raise ValueError("bad")
        heard.append(data.decode())

    connected: list[float] = []
    found = Subscription(server(), receive, lambda: connected.append(time.monotonic()))
    task = asyncio.create_task(found.run())
    await found.add("one")
    valkey.client.publish("one", "bad")
    await eventually(lambda: len(connected) == 2, "another connection")
    valkey.client.publish("one", "good")
    await eventually(lambda: heard == ["good"], "the message")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_cancellation_that_connecting_swallows_ends_the_subscription(valkey, monkeypatch):
    """As `asyncio.wait_for` does before Python 3.12: the tests of the chat waited two minutes for the end."""
    make, connected = subscription.make_subscriber, asyncio.Event()

    async def make_swallowing(to):
        connection = await make(to)
        connect = connection.connect

        async def swallow() -> None:
            await connect()
            connected.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

        connection.connect = swallow
        return connection

    monkeypatch.setattr(subscription, "make_subscriber", make_swallowing)
    task = asyncio.create_task(Subscription(server(), lambda *_: None).run())
    await connected.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()


async def test_subscription_without_redis_is_made_when_it_is_back(valkey):
    valkey.stop()
    async with listening("one") as (_, heard, connected):
        valkey.start()
        await eventually(lambda: connected, "a connection")
        valkey.client.publish("one", "hello")
        await eventually(lambda: heard == ["hello"], "the message")


async def test_channel_layer_survives_frozen_connections(proxy):
    """E1: a socket that was open before the freeze hears what is sent after it."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    subscribed = proxy.accepted
    proxy.freeze()
    await eventually(lambda: proxy.accepted > subscribed, "another subscription")
    await eventually(lambda: not server().is_unavailable, "an answer")
    sent = 0

    async def send_until_received() -> None:
        nonlocal sent
        while not layer.channels[channel].qsize():
            with suppress(*redis_client.Unavailable):
                await layer.group_send("group", {"type": "test", "number": sent})
            sent += 1
            await asyncio.sleep(0.05)

    await asyncio.wait_for(send_until_received(), 10)
    assert (await layer.receive(channel))["type"] == "test"
    await layer.flush()
    await redis_client.aclose()


async def test_channel_layer_without_redis_opens_sockets(settings):
    """A socket is opened although nothing can be sent to it: the record tells it what it misses."""
    layer = get_channel_layer()
    await layer.group_add("group", await layer.new_channel())
    with pytest.raises(redis_client.Unavailable):
        await layer.group_send("group", {"type": "test"})
    await layer.flush()
