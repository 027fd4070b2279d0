"""A model's answer read in the rhythm in which a worker sends it (`ctx.pace`)."""

import itertools

import pytest

from queueing.api import Job
from queueing.record.job_spec import JobSpec
from queueing.record.run import as_run
from queueing.worker.runs import output_sender
from queueing.worker.runs.output_sender import OutputSender
from queueing.worker.runs.run_output import RunOutput

from .model_requests import ask_model

pytestmark = pytest.mark.usefixtures("valkey")


def make_output() -> RunOutput:
    """Return the output of a reply that is not stored."""
    job: Job = JobSpec(kind="chat.reply", owner="s:pace").build({"reply_id": "0" * 32})
    return RunOutput(as_run(job), OutputSender.for_running_loop())


async def test_pace_with_a_fast_provider_adds_no_delay(provider):
    provider.script(text="fast " * 8000)  # about 1.5 MB of events
    output, readings = make_output(), itertools.count()

    async def pace() -> None:
        next(readings)
        await output.context.pace()

    reply = await ask_model(on_text=output.context.delta, pace=pace)
    await output.flush()
    assert reply.text == output.context.text == "fast " * 8000
    assert next(readings) < 30


async def test_answer_read_with_pace_is_complete_after_few_reads(provider, monkeypatch):
    """While sending takes long, the answer is read as seldom as it is sent."""
    monkeypatch.setattr(output_sender, "_PAUSE", 1e9)
    words = [f"wörd{n} " for n in range(200)]
    provider.script(text="".join(words), delay=0.005)
    output, readings = make_output(), itertools.count()

    async def pace() -> None:
        next(readings)
        await output.context.pace()

    reply = await ask_model(on_text=output.context.delta, pace=pace)
    await output.flush()
    assert reply.text == output.context.text == "".join(words)
    assert next(readings) < 100
