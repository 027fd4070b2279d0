"""Watching a process while it works: how long one step holds the event loop, and one call all threads."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Seconds of processor time of one step of the loop, and of one call that holds all threads.
MOST = 0.1


class Watch:
    """The longest step of the event loop, and the longest time in which no other thread ran, since `clear`.

    Both are processor time of this process: they do not depend on how busy the machine is.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget what was measured."""
        self.step = self.call = 0.0
        self.handle = ""

    @property
    def longest(self) -> float:
        """The longer of the two, in seconds."""
        return max(self.step, self.call)

    def add_step(self, seconds: float, handle: asyncio.Handle) -> None:
        """Count a step of the loop."""
        if seconds > self.step:
            self.step, self.handle = seconds, repr(handle)

    @contextmanager
    def calls(self) -> Iterator[None]:
        """Watch for calls, for example of a pattern, during which no other thread can run."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch_calls, args=[ended], daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch_calls(self, ended: threading.Event) -> None:
        """Wake up again and again: late, with processor time spent meanwhile, after a call that held all."""
        before = _now()
        while not ended.is_set():
            time.sleep(0.002)
            now = _now()
            spent, passed, waited = (new - old for new, old in zip(now, before, strict=True))
            self.call = max(self.call, min(spent, passed - waited))
            before = now


def _now() -> tuple[float, float, float]:
    """Return the processor time of the process, the time, and for how long this thread had no processor."""
    schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
    waited = int(schedule.read_text().split()[1]) / 1e9 if schedule.exists() else 0.0
    return time.process_time(), time.perf_counter(), waited
