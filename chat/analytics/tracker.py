"""Events of this process on their way to the queue: held in memory, handed over by a thread of their own.

The caller only appends to a list. A second later, or when there are many, the thread submits them as
jobs. With the database away, or the queue full, they are held until it takes them, up to a bound; what
goes beyond it is dropped and counted. What is held is handed over before the process ends.
"""

import logging
import os
import threading
import time
from collections import deque
from typing import NamedTuple

from django.conf import settings

from .event_names import Value
from .privacy import asked_not_to_track

logger = logging.getLogger(__name__)

#: Seconds an event is held at most while all is well.
EVERY = 1.0
#: Events that one job writes at most; as many wake the thread early.
BATCH = 200
#: Events held at most: some megabytes.
MOST = 10_000


class Happening(NamedTuple):
    """An event as its caller gives it."""

    at: float
    """Seconds since 1970."""
    name: str
    owner: str
    """A key of `chat.accounts.owners`, which leaves this process only hashed; empty for nobody's."""
    companion: str
    properties: dict[str, Value]


def track(name: str, *, owner: str = "", companion: str = "", **properties: Value) -> None:
    """Count that `name` (of `vocabulary`) happened. Never raises, never waits.

    `properties` are numbers and short texts. Within a request or socket whose visitor asks not to be
    tracked the event is nobody's.
    """
    if settings.ANALYTICS_DAYS:
        whose = "" if asked_not_to_track() else owner
        tracker.put(Happening(time.time(), name, whose, companion, properties))


class Tracker:
    """One a process."""

    def __init__(self) -> None:
        self.dropped = 0
        """Events that were lost since the process began."""
        self._held: deque[Happening] = deque()
        self._lock = threading.Lock()
        self._many = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, happening: Happening) -> None:
        """Take an event, or drop it when too many are held."""
        with self._lock:
            if len(self._held) >= MOST:
                self.dropped += 1
                return
            self._held.append(happening)
            if self._thread is None:
                self._start()
        if len(self._held) >= BATCH:
            self._many.set()

    def _start(self) -> None:
        # Not a daemon: Python waits for it before it ends, also in forked workers, where atexit is not run.
        self._thread = threading.Thread(target=self._run, name="analytics")
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is going down
            self._thread = None

    def _run(self) -> None:
        while True:
            over = not threading.main_thread().is_alive()
            self.flush()
            if over:
                return self._give_up()
            self._many.wait(EVERY)
            self._many.clear()

    def flush(self) -> None:
        """Hand over what is held. Blocks."""
        with _delivering:
            self._flush()

    def _flush(self) -> None:
        # Models cannot be imported when this module is: Django is not ready then.
        from .batches import NOT_NOW, deliver

        while batch := self._take():
            try:
                deliver(batch)
            except NOT_NOW as exc:
                logger.warning("%d events are held back: %s", len(batch), exc)
                with self._lock:
                    self._held.extendleft(reversed(batch))
                return
            except Exception:
                logger.exception("%d events are lost", len(batch))
                self.dropped += len(batch)

    def _take(self) -> list[Happening]:
        with self._lock:
            return [self._held.popleft() for _ in range(min(BATCH, len(self._held)))]

    def _give_up(self) -> None:
        with self._lock:
            self.dropped += len(self._held)
            self._held.clear()
        if self.dropped:
            logger.warning("%d events were dropped in this process's life", self.dropped)


tracker = Tracker()

#: Nobody forks while this is held: SQLite's and the importer's locks, taken by a thread that the fork does
#: not have, would stay taken in it, and its first event would never be handed over.
_delivering = threading.Lock()


def _begin_anew() -> None:
    """A fork has neither the thread nor a claim to what its parent holds."""
    global tracker
    tracker = Tracker()
    _delivering.release()


os.register_at_fork(
    before=_delivering.acquire, after_in_parent=_delivering.release, after_in_child=_begin_anew
)
