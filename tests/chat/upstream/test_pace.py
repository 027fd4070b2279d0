"""Reading a provider's stream in the rhythm of sending (`ctx.pace`)."""

import itertools

import pytest

from queueing.api import Job
from queueing.record.run import Run, as_run
from queueing.submit import JobSpec
from queueing.worker.output import Stream

from .model_requests import ask_model

pytestmark = pytest.mark.usefixtures("valkey")


def a_run() -> Run:
    """Return the run of a job that no other test knows."""
    job: Job = JobSpec(kind="chat.reply", args={"reply_id": "0" * 32}, owner="s:pace").build()
    return as_run(job)


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
