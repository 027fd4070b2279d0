"""A slow socket loses events, but memory is limited and no text is lost."""

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from chat.socket.client import SocketClient
from queueing.events import delivery, inbox, messages
from tests.chat.browser import browser

from .stream_client import Reading

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

OWNER = "s:overload"


def piece(offset: int, text: str) -> messages.Event:
    return messages.make("chat", "delta", "a" * 32, "r-1", {}, run=1, attempt=1, offset=offset, text=text)


async def group_of_two() -> tuple[Any, str, str]:
    """Return the layer and two channels of the same group."""
    here: Any = get_channel_layer()
    channels = [await here.new_channel(), await here.new_channel()]
    for channel in channels:
        await here.group_add(delivery.group_of(OWNER), channel)
    return here, channels[0], channels[1]


async def test_channel_without_reader_has_a_size_limit(monkeypatch):
    monkeypatch.setattr(inbox, "MAX_WAITING_BYTES", 20_000)
    here, deaf, reader = await group_of_two()
    ending = messages.make("chat", "completed", "a" * 32, "r-1", {}, response="whole")
    for number in range(100):
        await delivery.emit_many(
            [(OWNER, piece(number * 1000, "x" * 1000)), (OWNER, {"type": "thread:edited"})]
        )
    await delivery.emit(OWNER, ending)
    while (message := await here.receive(reader))["event"] != ending:
        pass
    waiting = here.channels[deaf]
    assert waiting.size == sum(map(len, waiting._queue)) <= 20_000
    left = [(await here.receive(deaf))["event"] for _ in range(waiting.qsize())]
    assert left[-1] == ending == message["event"]
    assert [e["type"] for e in left].count("thread:edited") == 100, "what nothing makes up for is kept"
    assert waiting.size == 0
    await here.flush()


async def test_full_channel_keeps_the_newest_irreplaceable_events(monkeypatch):
    monkeypatch.setattr(inbox, "MAX_WAITING_BYTES", 2_000)
    here, deaf, reader = await group_of_two()
    for number in range(100):
        await delivery.emit(OWNER, {"type": "thread:edited", "number": number})
    while (await here.receive(reader))["event"]["number"] != 99:
        pass
    waiting = here.channels[deaf]
    left = [(await here.receive(deaf))["event"]["number"] for _ in range(waiting.qsize())]
    assert left == list(range(100 - len(left), 100))
    assert 10 < len(left) < 50
    await here.flush()


async def test_delayed_socket_still_receives_the_whole_text(workers, monkeypatch):
    monkeypatch.setattr(inbox, "MAX_WAITING_BYTES", 3_000)
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
        reading = Reading((await tab.receive_until("chat:queued"))[-1]["jobId"])
        await workers.eventually(lambda requests: requests and requests[0].ended)
        gate.set()
        await reading.follow(tab)
    assert reading.ending["response"] == text
    assert text.startswith(reading.text)
    assert reading.gaps == 0
    assert heard < 20, "most pieces were lost on the way"
