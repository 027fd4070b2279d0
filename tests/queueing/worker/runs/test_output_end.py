"""The output of a run that has ended takes no more, and is freed at once."""

import gc
import weakref

import pytest

from queueing.worker.runs.output_sender import OutputSender
from queueing.worker.runs.run_output import RunOutput
from tests.queueing.worker.runs.test_output import make_run

pytestmark = pytest.mark.usefixtures("valkey")


async def test_output_of_an_ended_run_ignores_what_was_left_running():
    output = RunOutput(make_run(), OutputSender.for_running_loop())
    output.close()
    output.context.delta("late")
    output.context.log("late")
    await output.context.pace()
    assert output.log_lines == []
    assert output not in OutputSender.for_running_loop()._queue


async def test_output_of_an_ended_run_is_freed_without_the_collector_of_cycles():
    gc.disable()
    try:
        output = RunOutput(make_run(), OutputSender.for_running_loop())
        context, output_left = weakref.ref(output.context), weakref.ref(output)
        output.close()
        del output
        assert context() is output_left() is None
    finally:
        gc.enable()
