"""A socket that cannot keep up loses pieces on their way to it, and neither memory nor a word."""

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from chat.socket.client import SocketClient
from queueing.events import channel_layer, delivery, messages
from tests.chat.tabs import browser

from .stream_client import Reading

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

OWNER = "s:overload"


def piece(offset: int, text: str) -> messages.Event:
    return messages.make("chat", "delta", "a" * 32, "r-1", {}, run=1, attempt=1, offset=offset, text=text)


async def group_of_two() -> tuple[Any, str, str]:
    """The layer, and two channels that hear the same."""
    here: Any = get_channel_layer()
    channels = [await here.new_channel(), await here.new_channel()]
    for channel in channels:
        await here.group_add(delivery.group_of(OWNER), channel)
    return here, channels[0], channels[1]


async def test_what_waits_for_a_channel_nobody_reads_has_a_bound(monkeypatch):
    monkeypatch.setattr(channel_layer, "MAX_WAITING_BYTES", 20_000)
    here, deaf, reader = await group_of_two()
    ending = messages.make("chat", "completed", "a" * 32, "r-1", {}, response="whole")
    for number in range(100):
        await delivery.emit_many(
            [(OWNER, piece(number * 1000, "x" * 1000)), (OWNER, {"type": "thread:edited"})]
        )
    await delivery.emit(OWNER, ending)
    while (message := await here.receive(reader))["event"] != ending:
        pass
    inbox = here.channels[deaf]
    assert inbox.size == sum(map(len, inbox._queue)) <= 20_000
    left = [(await here.receive(deaf))["event"] for _ in range(inbox.qsize())]
    assert left[-1] == ending == message["event"]
    assert [e["type"] for e in left].count("thread:edited") == 100, "what nothing makes up for is kept"
    assert inbox.size == 0
    await here.flush()


async def test_of_what_nothing_makes_up_for_the_newest_is_kept(monkeypatch):
    monkeypatch.setattr(channel_layer, "MAX_WAITING_BYTES", 2_000)
    here, deaf, reader = await group_of_two()
    for number in range(100):
        await delivery.emit(OWNER, {"type": "thread:edited", "number": number})
    while (await here.receive(reader))["event"]["number"] != 99:
        pass
    inbox = here.channels[deaf]
    left = [(await here.receive(deaf))["event"]["number"] for _ in range(inbox.qsize())]
    assert left == list(range(100 - len(left), 100))
    assert 10 < len(left) < 50
    await here.flush()


async def test_a_socket_that_was_held_up_still_reads_every_word(workers, monkeypatch):
    monkeypatch.setattr(channel_layer, "MAX_WAITING_BYTES", 3_000)
    text = " ".join(f"wörd{n}" for n in range(300))
    workers.script(text=text, delay=0.01)
    gate, heard = asyncio.Event(), 0
    send = SocketClient.send

    async def held_up(self: SocketClient, event: messages.Event) -> None:
        nonlocal heard
        heard += event["type"] == "chat:delta"
        if event["type"] == "chat:delta":
            await gate.wait()
        await send(self, event)

    monkeypatch.setattr(SocketClient, "send", held_up)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("Where to?")
        reading = Reading((await tab.hear_until("chat:queued"))[-1]["jobId"])
        await workers.eventually(lambda requests: requests and requests[0].ended)
        gate.set()
        await reading.follow(tab)
    assert reading.ending["response"] == text
    assert text.startswith(reading.text)
    assert reading.gaps == 0
    assert heard < 20, "most pieces were lost on the way"
