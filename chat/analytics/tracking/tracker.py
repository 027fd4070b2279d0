"""The events of this process on their way to the queue: a buffer, and an OS thread that submits it.

The caller only appends to the buffer. The thread submits it as jobs each second, or sooner when there are
many events. While the database is unavailable or the queue is full, events stay in the buffer, up to a
maximum; further events are dropped and counted. The buffer is submitted once more before the process ends.
"""

import logging
import os
import threading
import time
from collections import deque

from django.conf import settings

from .event_names import Value
from .privacy import is_do_not_track
from .tracked_event import TrackedEvent

logger = logging.getLogger(__name__)

#: Seconds between two submissions.
FLUSH_INTERVAL = 1.0
#: Maximum events of one job; as many in the buffer wake the thread early.
BATCH_SIZE = 200
#: Maximum events in the buffer: some megabytes.
MAX_BUFFERED = 10_000


def track(name: str, *, owner: str = "", companion: str = "", **properties: Value) -> None:
    """Count the event `name` (see `event_names`). Never raises and never waits.

    `properties` are numbers and short texts. Within a request or socket with do-not-track, the event is
    stored without its visitor.
    """
    if settings.ANALYTICS_DAYS:
        visitor = "" if is_do_not_track() else owner
        tracker.put(TrackedEvent(time.time(), name, visitor, companion, properties))


class Tracker:
    """The buffer of one process, with the thread that empties it."""

    def __init__(self) -> None:
        self.dropped = 0
        """Events lost since the process started."""
        self._buffer: deque[TrackedEvent] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, event: TrackedEvent) -> None:
        """Add an event to the buffer, or drop it when the buffer is full."""
        with self._lock:
            if len(self._buffer) >= MAX_BUFFERED:
                self.dropped += 1
                return
            self._buffer.append(event)
            if self._thread is None:
                self._start()
        if len(self._buffer) >= BATCH_SIZE:
            self._wake.set()

    def _start(self) -> None:
        # Not a daemon: Python waits for it at exit, also in forked workers, which do not run atexit.
        self._thread = threading.Thread(target=self._run, name="analytics")
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is shutting down
            self._thread = None

    def _run(self) -> None:
        while True:
            is_last = not threading.main_thread().is_alive()
            self.flush()
            if is_last:
                return self._drop_rest()
            self._wake.wait(FLUSH_INTERVAL)
            self._wake.clear()

    def flush(self) -> None:
        """Submit the events in the buffer. Blocks."""
        with _submitting:
            self._flush()

    def _flush(self) -> None:
        # Imported here: models cannot be imported before Django is ready.
        from .batches import TEMPORARY_ERRORS, submit_events

        while batch := self._take_batch():
            try:
                submit_events(batch)
            except TEMPORARY_ERRORS as exc:
                logger.warning("%d events stay in the buffer: %s", len(batch), exc)
                with self._lock:
                    self._buffer.extendleft(reversed(batch))
                return
            except Exception:
                logger.exception("%d events were lost", len(batch))
                self.dropped += len(batch)

    def _take_batch(self) -> list[TrackedEvent]:
        with self._lock:
            return [self._buffer.popleft() for _ in range(min(BATCH_SIZE, len(self._buffer)))]

    def _drop_rest(self) -> None:
        with self._lock:
            self.dropped += len(self._buffer)
            self._buffer.clear()
        if self.dropped:
            logger.warning("%d events were dropped since this process started", self.dropped)


tracker = Tracker()

#: Held while events are submitted, and while the process forks. A fork copies locks that another thread
#: holds (those of SQLite and of imports) but not that thread, so they would never be released in the child.
_submitting = threading.Lock()


def _reset_in_child() -> None:
    """Start with an empty buffer: the parent submits its own events, and its thread is not in the child."""
    global tracker
    tracker = Tracker()
    _submitting.release()


os.register_at_fork(
    before=_submitting.acquire, after_in_parent=_submitting.release, after_in_child=_reset_in_child
)
