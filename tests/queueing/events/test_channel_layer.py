"""Pieces of a text that wait for a socket are received as one: a busy process has less to pass on."""

from typing import Any

import pytest
from channels.layers import get_channel_layer
from hypothesis import given
from hypothesis import strategies as st

from queueing.events import messages
from queueing.events.channel_layer import PubSubLayer
from queueing.events.inbox import BoundedInbox
from queueing.events.reader import EventCursor

TEXTS = ("a", "é🙂", "\u202bعربى", " two words")


def piece(job: str, run: int, offset: int, text: str) -> messages.Event:
    at = {"run": run, "attempt": run, "offset": offset, "text": text}
    return messages.make("test", "delta", job * 32, "r-1", {}, **at)


def inbox_with(events: list[messages.Event]) -> BoundedInbox:
    inbox: BoundedInbox = PubSubLayer().new_inbox()
    for event in events:
        inbox.put_nowait(PubSubLayer().serialize({"type": "queue.event", "event": event}))
    return inbox


async def received_from(inbox: BoundedInbox) -> list[messages.Event]:
    events = []
    while not inbox.empty():
        events.append((await inbox.next())["event"])
    assert inbox.size == 0
    return events


async def test_waiting_pieces_of_one_text_are_received_as_one():
    pieces = [piece("a", 1, 0, "Start "), piece("a", 1, 6, "in "), piece("a", 1, 9, "Alfama")]
    assert await received_from(inbox_with(pieces)) == [piece("a", 1, 0, "Start in Alfama")]


@pytest.mark.parametrize(
    "other",
    [
        piece("b", 1, 1, "b"),
        piece("a", 2, 1, "b"),
        piece("a", 1, 2, "b"),
        piece("a", 1, 0, "ab"),
        {"type": "test:completed", "jobId": "a" * 32, "response": "a"},
        {"type": "thread:edited"},
    ],
    ids=["job", "run", "gap", "repeat", "end", "none"],
)
async def test_pieces_of_different_texts_are_received_apart(other):
    events = [piece("a", 1, 0, "a"), other, piece("a", 1, 1, "c")]
    assert await received_from(inbox_with(events)) == events


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(TEXTS), st.booleans()), max_size=40))
async def test_joined_pieces_are_the_same_text_in_the_same_order(steps: list[Any]):
    """Whatever waits, in whatever order: a client puts the same texts together from it."""
    offsets, events = {"a": 0, "b": 0}, []
    for job, text, is_said in steps:
        event = {"type": "thread:edited", "n": len(events)}
        events.append(piece(job, 1, offsets[job], text) if is_said else event)
        offsets[job] += len(text) if is_said else 0
    received = await received_from(inbox_with(events))
    for job in "ab":
        assert text_of(received, job) == text_of(events, job)
    others = [event for event in events if messages.name_of(event) != "delta"]
    assert [event for event in received if messages.name_of(event) != "delta"] == others


def text_of(events: list[messages.Event], job: str) -> str:
    cursor, text = EventCursor(), ""
    for event in events:
        if event.get("jobId") == job * 32:
            assert not cursor.has_gap_before(event)
            text += (cursor.advance(event) or {"text": ""})["text"]
    return text


@pytest.mark.usefixtures("valkey")
async def test_piece_is_received_at_once_when_none_waits():
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("owner.a", channel)
    for event in (piece("a", 1, 0, "one "), piece("a", 1, 4, "two")):
        await layer.group_send("owner.a", {"type": "queue.event", "event": event})
        assert (await layer.receive(channel))["event"] == event
    await layer.flush()


async def test_frames_and_messages_are_dispatched_in_turn_until_one_raises():
    """A socket with many messages still reads what its client sends; its end ends the loop."""
    inbox = inbox_with([{"type": "thread:edited", "n": n} for n in range(50)])
    frames, seen = iter(("connect", "receive", "disconnect")), list[str]()

    async def receive() -> dict[str, Any]:
        return {"type": next(frames)}

    async def dispatch(message: dict[str, Any]) -> None:
        seen.append(message["type"])
        if message["type"] == "disconnect":
            raise EOFError

    with pytest.raises(EOFError):
        await inbox.serve(receive, dispatch)
    assert [kind for kind in seen if kind != "queue.event"] == ["connect", "receive", "disconnect"]
    assert "queue.event" in seen
    assert not inbox.empty(), "the client did not wait for all of them"
