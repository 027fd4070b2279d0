"""Watches the event loop of a web process from a thread: what blocks it keeps all its visitors waiting."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from queueing.api.metrics import metric_name

from .web_metrics import loop_lag

logger = logging.getLogger(__name__)

#: Seconds between two questions to the loop, and for which an answer may take.
INTERVAL, LATE = 1.0, 1.0
#: Seconds between two log lines.
_LOG_INTERVAL = 60.0


@dataclass
class Lateness:
    """How often and for how long the loops of this process were late."""

    times: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.times, self.seconds = self.times + 1, self.seconds + seconds
        self.longest = max(self.longest, seconds)


lateness = Lateness()


class LoopWatch:
    """The watch of the running loop. Its thread ends with the loop."""

    def __init__(self, *, interval: float = INTERVAL, late: float = LATE) -> None:
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._interval, self._late = interval, late
        self._logged = float("-inf")
        threading.Thread(target=self._run, name="loop-watch", daemon=True).start()

    def _run(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            while True:
                time.sleep(self._interval)
                self._ask()

    def _ask(self) -> None:
        """Wait until the loop answers. Report it if that takes too long, with what it does meanwhile."""
        answered, asked = threading.Event(), time.monotonic()
        self._loop.call_soon_threadsafe(answered.set)
        if answered.wait(self._late):
            loop_lag.add(time.monotonic() - asked)
            return
        stack = self._stack()
        while not answered.wait(self._interval):
            if self._loop.is_closed():
                return
        loop_lag.add(time.monotonic() - asked)
        self._report(time.monotonic() - asked, stack)

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._thread)
        return "".join(traceback.format_stack(frame)) if frame else ""

    def _report(self, seconds: float, stack: str) -> None:
        lateness.add(seconds)
        if time.monotonic() - self._logged >= _LOG_INTERVAL:
            self._logged = time.monotonic()
            logger.warning("the event loop was blocked for %.1f s: all visitors waited\n%s", seconds, stack)


def metrics() -> Iterator[Metric]:
    """Yield how late the loops of the web process were that answers /metrics."""
    yield CounterMetricFamily(
        metric_name("web_loop_late"), "Times an event loop was blocked for a second.", value=lateness.times
    )
    yield CounterMetricFamily(
        metric_name("web_loop_late_seconds"), "Seconds of these times.", value=lateness.seconds
    )
    yield GaugeMetricFamily(
        metric_name("web_loop_longest_seconds"), "The longest of these times.", value=lateness.longest
    )
