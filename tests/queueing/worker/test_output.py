"""`ctx.pace`: handlers that read a stream in the rhythm of sending."""

import asyncio

import pytest

from queueing.models import Job
from queueing.record.run import Run, as_run
from queueing.submit import JobSpec
from queueing.worker.output import RunOutput

pytestmark = pytest.mark.usefixtures("valkey")


def make_run() -> Run:
    """Return the run of a job that is not stored."""
    job: Job = JobSpec(kind="test.echo", args={"text": ""}, owner="alice").build()
    return as_run(job)


async def test_pace_of_many_runs_returns_once_per_send():
    outputs = [RunOutput(make_run()) for _ in range(50)]

    async def speak(output: RunOutput) -> None:
        for word in range(5):
            output.context.delta(f"{word} ")
            await output.context.pace()

    async with asyncio.timeout(5):
        await asyncio.gather(*map(speak, outputs))
        await asyncio.gather(*(output.flush() for output in outputs))
    assert {output.context.text for output in outputs} == {"0 1 2 3 4 "}


async def test_pace_without_unsent_output_returns_at_once():
    output = RunOutput(make_run())
    async with asyncio.timeout(1):
        await output.context.pace()
        output.context.delta("")
        await output.context.pace()


async def test_text_added_in_the_send_slot_is_sent_in_the_same_round(monkeypatch):
    sent: list[str] = []
    take = RunOutput.take_chunk

    def note(output: RunOutput):
        piece = take(output)
        sent.append(piece.text if piece else "")
        return piece

    monkeypatch.setattr(RunOutput, "take_chunk", note)
    output = RunOutput(make_run())
    output.context.delta("first, ")
    await output.context.pace()
    output.context.delta("second")
    await output.flush()
    assert sent == ["first, second"]
