"""Reading in the rhythm of sending: what `ctx.pace` promises a handler."""

import asyncio
import itertools

import pytest

from queueing.models import Job
from queueing.record.run import Run, as_run
from queueing.submit import JobSpec
from queueing.worker.output import Stream
from tests.chat.upstream.model_requests import ask_model

pytestmark = pytest.mark.usefixtures("valkey")


def a_run() -> Run:
    """Of a job that nobody else knows."""
    job: Job = JobSpec(kind="chat.reply", args={"reply_id": "0" * 32}, owner="s:pace").build()
    return as_run(job)


async def test_it_ends_once_for_each_sending_however_many_wait():
    streams = [Stream(a_run()) for _ in range(50)]

    async def speak(stream: Stream) -> None:
        for word in range(5):
            stream.context.delta(f"{word} ")
            await stream.context.pace()

    async with asyncio.timeout(5):
        await asyncio.gather(*map(speak, streams))
        await asyncio.gather(*(stream.flush() for stream in streams))
    assert {stream.context.text for stream in streams} == {"0 1 2 3 4 "}


async def test_who_has_said_nothing_need_not_wait():
    stream = Stream(a_run())
    async with asyncio.timeout(1):
        await stream.context.pace()
        stream.context.delta("")
        await stream.context.pace()


async def test_what_is_added_just_before_a_sending_goes_out_with_it(monkeypatch):
    sent: list[str] = []
    take = Stream.take_piece

    def note(stream: Stream):
        piece = take(stream)
        sent.append(piece.text if piece else "")
        return piece

    monkeypatch.setattr(Stream, "take_piece", note)
    stream = Stream(a_run())
    stream.context.delta("first, ")
    await stream.context.pace()
    stream.context.delta("second")
    await stream.flush()
    assert sent == ["first, second"]


async def test_it_does_not_slow_down_a_fast_provider(provider):
    provider.script(text="fast " * 8000)  # about 1.5 MB of events
    stream, readings = Stream(a_run()), itertools.count()

    async def pace() -> None:
        next(readings)
        await stream.context.pace()

    reply = await ask_model(on_text=stream.context.delta, pace=pace)
    await stream.flush()
    assert reply.text == stream.context.text == "fast " * 8000
    assert next(readings) < 30


async def test_an_answer_read_in_it_is_whole_and_costs_fewer_readings_than_it_has_words(provider):
    words = [f"wörd{n} " for n in range(200)]
    provider.script(text="".join(words), delay=0.005)
    stream, readings = Stream(a_run()), itertools.count()

    async def pace() -> None:
        next(readings)
        await stream.context.pace()

    reply = await ask_model(on_text=stream.context.delta, pace=pace)
    await stream.flush()
    assert reply.text == stream.context.text == "".join(words)
    assert next(readings) < 100
