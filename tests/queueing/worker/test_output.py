"""Reading in the rhythm of sending: what `ctx.pace` promises a handler."""

import asyncio

import pytest

from queueing.models import Job
from queueing.record.run import Run, as_run
from queueing.submit import JobSpec
from queueing.worker.output import RunOutput
from tests.chat.upstream.model_requests import ask_model

pytestmark = pytest.mark.usefixtures("valkey")


def a_run() -> Run:
    """Of a job that nobody else knows."""
    job: Job = JobSpec(kind="test.echo", args={"text": ""}, owner="s:pace").build()
    return as_run(job)


async def test_it_ends_once_for_each_sending_however_many_wait():
    streams = [RunOutput(a_run()) for _ in range(50)]

    async def speak(stream: RunOutput) -> None:
        for word in range(5):
            stream.context.delta(f"{word} ")
            await stream.context.pace()

    async with asyncio.timeout(5):
        await asyncio.gather(*map(speak, streams))
        await asyncio.gather(*(stream.flush() for stream in streams))
    assert {stream.context.text for stream in streams} == {"0 1 2 3 4 "}


async def test_who_has_said_nothing_need_not_wait():
    stream = RunOutput(a_run())
    async with asyncio.timeout(1):
        await stream.context.pace()
        stream.context.delta("")
        await stream.context.pace()


async def test_what_is_added_just_before_a_sending_goes_out_with_it(monkeypatch):
    sent: list[str] = []
    take = RunOutput.take_chunk

    def note(stream: RunOutput):
        piece = take(stream)
        sent.append(piece.text if piece else "")
        return piece

    monkeypatch.setattr(RunOutput, "take_chunk", note)
    stream = RunOutput(a_run())
    stream.context.delta("first, ")
    await stream.context.pace()
    stream.context.delta("second")
    await stream.flush()
    assert sent == ["first, second"]


async def test_it_does_not_slow_down_a_fast_provider(provider):
    provider.script(text="fast " * 8000)  # about 1.5 MB of events
    stream, readings = RunOutput(a_run()), itertools.count()

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
    stream, readings = RunOutput(a_run()), itertools.count()

    async def pace() -> None:
        next(readings)
        await stream.context.pace()

    reply = await ask_model(on_text=stream.context.delta, pace=pace)
    await stream.flush()
    assert reply.text == stream.context.text == "".join(words)
    assert next(readings) < 100
