"""Watches the event loop of a worker from a thread: which kind of job blocks it, where, and for how long.

The thread looks while runs are active. If a task is in the middle of a step, it asks the loop for an answer,
which comes as soon as the loop runs again. The loop itself does nothing else for this.
"""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from queueing.worker.runs.active_runs import Claim
from queueing.worker.runs.job_threads import CLAIM

logger = logging.getLogger(__name__)

#: Seconds between two looks at a loop with active runs, and between two signs of life of an idle loop.
_LOOK_INTERVAL, _BEAT_INTERVAL = 0.02, 1.0
#: Seconds of one step from which it is reported, and from which the heartbeat names it while it lasts.
_BLOCKING, _LASTING = 0.1, 1.0
#: Seconds between two log lines about one kind, and for which its figures are shown.
_LOG_INTERVAL, _SHOWN_FOR = 60.0, 300.0
#: Seconds of one step after which the worker gives up its loop.
GIVE_UP_AFTER = 60.0


class JobTask(asyncio.Task[Any]):
    """A task that knows to which run it belongs, also when a handler started it."""

    __slots__ = ("claim",)
    claim: Claim | None


def _make_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> JobTask:
    task = JobTask(coroutine, loop=loop, **options)
    task.claim = CLAIM.get()
    return task


@dataclass
class Blocking:
    """How often and how long a kind has blocked the loop of this worker."""

    times: int = 0
    longest: float = 0.0
    last: float = 0.0
    """When it did so last, by `time.monotonic()`."""
    logged: float = float("-inf")


@dataclass
class _Step:
    """A step of a task, or a callback, that has not ended."""

    task: "asyncio.Task[Any] | None"
    began: float
    name: str
    """The kind of its job. Its run may have ended when the step is reported."""
    where: str = ""
    seen_for: float = 0.0
    """Seconds for which this thread has seen it. A process that is suspended sees nothing."""


class LoopWatch:
    """The watch of one worker.

    `on_beat` is called on the loop, as a sign of its life. `kind_of` names the kind of a claim. `give_up` is
    called in the thread, with the claim that blocks the loop for too long (if it is known) and a stack. It
    must not return.
    """

    def __init__(
        self,
        on_beat: Callable[[], None],
        is_busy: Callable[[], bool],
        kind_of: Callable[[Claim], str],
        give_up: Callable[[Claim | None, str], None],
    ) -> None:
        self._on_beat = on_beat
        self._is_busy = is_busy
        self._kind_of = kind_of
        self._give_up = give_up
        self._blocking: dict[str, Blocking] = {}
        self._step: _Step | None = None
        self._asked = self._answered = 0.0
        self._busy, self._stopping = threading.Event(), threading.Event()
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        self._loop.set_task_factory(_make_task)
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def wake(self) -> None:
        """Look more often: there are active runs."""
        if not self._busy.is_set():
            self._busy.set()

    def stop(self) -> None:
        """End the watch."""
        self._stopping.set()
        self._busy.set()

    def figures(self) -> dict[str, Any]:
        """Return the fields of the heartbeat: what has blocked the loop lately, and what does so now."""
        now, step = time.monotonic(), self._step
        recent = [
            (kind, found) for kind, found in list(self._blocking.items()) if now - found.last < _SHOWN_FOR
        ]
        fields: dict[str, Any] = {
            "blocking": {k: {"times": b.times, "longest": round(b.longest, 2)} for k, b in recent}
        }
        if step and now - step.began > _LASTING:
            fields["blockedBy"] = {"kind": step.name, "seconds": round(now - step.began, 1)}
        return fields

    def _run(self) -> None:
        while not self._stopping.is_set():
            began, cpu = time.monotonic(), time.process_time()
            if self._is_busy():
                self._stopping.wait(_LOOK_INTERVAL)
            else:
                self._busy.clear()
                self._busy.wait(_BEAT_INTERVAL)
                began = time.monotonic()
            late = time.monotonic() - began - _LOOK_INTERVAL
            # A step that holds the interpreter's lock delays this thread, too, and uses the processor.
            held = late if late > _BLOCKING and time.process_time() - cpu > _BLOCKING / 2 else 0.0
            with suppress(RuntimeError):  # the loop is closed
                self._look(held)

    def _look(self, held: float) -> None:
        """Look at the loop once; if it is in the middle of a step, until it answers."""
        now, task = time.monotonic(), asyncio.current_task(self._loop)
        if task is None and now - self._asked < _BEAT_INTERVAL:
            return
        answered = threading.Event()
        self._asked = now
        self._loop.call_soon_threadsafe(self._answer, answered)
        self._step = _Step(task, now - held, self._name(task), self._where() if held else "")
        while not answered.wait(_LOOK_INTERVAL) and not self._stopping.is_set():
            self._observe(time.monotonic())
        if answered.is_set():
            self._report(self._step, self._answered)
        self._step = None

    def _answer(self, answered: threading.Event) -> None:
        self._on_beat()
        self._answered = time.monotonic()
        answered.set()

    def _observe(self, now: float) -> None:
        """Look again at a loop that has not answered."""
        step, task = self._step, asyncio.current_task(self._loop)
        if step is None or step.task is not task:
            if step is not None:
                self._report(step, now)
            self._step = step = _Step(task, now, self._name(task))
        step.where = self._where()
        step.seen_for += _LOOK_INTERVAL
        if step.seen_for > GIVE_UP_AFTER:
            stack = "".join(traceback.format_stack(sys._current_frames()[self._loop_thread]))
            logger.critical(
                "%s has blocked the event loop for %.0f s\n%s", step.name, now - step.began, stack
            )
            self._give_up(getattr(step.task, "claim", None), stack)

    def _where(self) -> str:
        frame = sys._current_frames()[self._loop_thread]
        return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"

    def _name(self, task: "asyncio.Task[Any] | None") -> str:
        claim = getattr(task, "claim", None)
        return self._kind_of(claim) if claim else "(not a job)"

    def _report(self, step: _Step, ended: float) -> None:
        """Count a step that was too long, and write a line about it, at most one a minute for each kind."""
        seconds = ended - step.began
        is_job = getattr(step.task, "claim", None) is not None
        if seconds < (_BLOCKING if is_job else _LASTING):
            return
        found = self._blocking.setdefault(step.name, Blocking())
        found.times, found.longest, found.last = found.times + 1, max(found.longest, seconds), ended
        if ended - found.logged >= _LOG_INTERVAL:
            found.logged = ended
            logger.warning(
                "%s blocked the event loop for %.0f ms (%s): all other jobs of this worker waited",
                step.name,
                seconds * 1000,
                step.where or "unknown place",
            )
