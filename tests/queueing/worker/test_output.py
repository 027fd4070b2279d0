"""Reading in the rhythm of sending: what `ctx.pace` promises a handler."""

import asyncio

import pytest

from queueing.models import Job
from queueing.record.run import Run, as_run
from queueing.submit import JobSpec
from queueing.worker.output import Stream

pytestmark = pytest.mark.usefixtures("valkey")


def a_run() -> Run:
    """Of a job that nobody else knows."""
    job: Job = JobSpec(kind="test.echo", args={"text": ""}, owner="s:pace").build()
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
