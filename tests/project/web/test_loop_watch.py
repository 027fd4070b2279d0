"""What blocks the event loop of a web process is counted, and named in the log with its stack."""

import asyncio
import threading
import time

import pytest

from buddy.web.loop_watch import LoopWatch, lateness, metrics
from tests.support.valkey import eventually


def a_slow_view() -> None:
    """Keep the loop, as a page with a slow loop would."""
    time.sleep(0.3)


async def test_blocked_loop_is_counted_and_its_stack_is_logged(caplog: pytest.LogCaptureFixture):
    before = lateness.times
    LoopWatch(interval=0.01, late=0.05)
    a_slow_view()
    await eventually(lambda: lateness.times > before, "the count")
    assert "all visitors waited" in caplog.text
    assert "a_slow_view" in caplog.text
    values = {metric.samples[0].name: metric.samples[0].value for metric in metrics()}
    assert values["buddy_web_loop_late_total"] >= 1
    assert values["buddy_web_loop_late_seconds_total"] >= 0.05
    assert values["buddy_web_loop_longest_seconds"] >= 0.05


def test_watch_ends_with_its_loop():
    async def work() -> None:
        LoopWatch(interval=0.01)

    asyncio.run(work())
    for thread in threading.enumerate():
        if thread.name == "loop-watch":
            thread.join(5)
            assert not thread.is_alive()
