"""What one socket has been sent of each of its jobs, so that nothing is missed and nothing sent twice.

Events can be lost on their way here. Lost text shows by the offset of the text after it; a lost terminal
event would not show. So each process checks the record every few seconds, for all its sockets at once,
about the jobs without recent events.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from queueing.models import Job
from queueing.states import FINISHED, State

from . import messages
from .catch_up import JobState, catch_up, job_states
from .messages import Event
from .periodic import Periodic, send_safely
from .positions import Positions
from .reader import EventCursor

#: Seconds without an event after which the record is checked.
QUIET_AFTER = 3.0
#: Jobs checked at a time.
_BATCH_SIZE = 500
#: Terminal events remembered by a follower, so that none is sent twice.
_MAX_ENDED = 500

_IN_LINE = ("queued", "position", "retrying")


class FollowedJob:
    """A job, as far as its socket has been sent its events."""

    def __init__(self, event: Event) -> None:
        self.event = event
        """One of its events."""
        self.cursor = EventCursor()
        self.last_event_at = time.monotonic()
        self.runs = False
        """Whether the socket knows that the job runs."""
        self._stop: Callable[[], None] | None = None

    def start_positions(self, event: Event, send: Callable[[Event], Awaitable[None]]) -> None:
        """Send position updates, until `stop_positions`."""
        self._stop = Positions.for_running_loop().watch(event, send)

    def stop_positions(self) -> None:
        """Stop sending position updates."""
        if self._stop:
            self._stop()
            self._stop = None


class EndedJob(NamedTuple):
    """A job whose terminal event was sent."""

    event_type: str
    run: int


class Follower:
    """The jobs of one socket.

    While `is_paused()` the socket is sent nothing; `refresh_all` afterwards sends what it missed.
    """

    def __init__(
        self, send: Callable[[Event], Awaitable[None]], is_paused: Callable[[], bool] = lambda: False
    ) -> None:
        self.jobs: dict[str, FollowedJob] = {}
        self._ended: dict[str, EndedJob] = {}
        self._send = send
        self._is_paused = is_paused
        self._lock = asyncio.Lock()
        LostEventCheck.for_running_loop().add(self)

    def close(self) -> None:
        """Stop following: the socket was closed."""
        LostEventCheck.for_running_loop().discard(self)
        for followed in self.jobs.values():
            followed.stop_positions()
        self.jobs.clear()

    async def receive(self, event: Event) -> None:
        """Send the new part of an event, after what is missing before it."""
        async with self._lock:
            if not self._is_new(event):
                return
            if (followed := self.jobs.get(event["jobId"])) is None:
                followed = self.jobs[event["jobId"]] = FollowedJob(event)
            followed.last_event_at = time.monotonic()
            if self._is_paused():
                return
            if followed.cursor.has_gap_before(event):
                await self._catch_up(followed)
            else:
                await self._forward(followed, event)

    async def watch(self, job: Job, *, run: int | None = None, offset: int = 0) -> None:
        """Send the state of `job` to a client that has `offset` characters of `run`, then its events."""
        async with self._lock:
            self._ended.pop(job.id.hex, None)
            followed = self.jobs.setdefault(job.id.hex, FollowedJob(messages.event_of(job, "position")))
            followed.cursor = EventCursor(run, offset)
            if not self._is_paused():
                await self._catch_up(followed)

    async def refresh(self, job_id: str) -> None:
        """Send what the record knows and the socket does not."""
        async with self._lock:
            if (followed := self.jobs.get(job_id)) and not self._is_paused():
                await self._catch_up(followed)

    async def refresh_all(self) -> None:
        """Do `refresh` for each job."""
        for job_id in list(self.jobs):
            await self.refresh(job_id)

    def _is_new(self, event: Event) -> bool:
        ended = self._ended.get(event["jobId"])
        if not ended:
            return True
        if messages.is_terminal(event):
            return bool(event["type"] != ended.event_type)
        if messages.name_of(event) == "queued" or event.get("run", 0) > ended.run:  # it was retried
            del self._ended[event["jobId"]]
            return True
        return False

    async def _catch_up(self, followed: FollowedJob) -> None:
        cursor = followed.cursor
        try:
            events = await catch_up(followed.event["jobId"], run=cursor.run, offset=cursor.offset)
        except Job.DoesNotExist:
            events = [messages.deleted_event(followed.event)]
        followed.last_event_at = time.monotonic()
        for event in events:
            await self._forward(followed, event)

    async def _forward(self, followed: FollowedJob, event: Event) -> None:
        in_line = messages.name_of(event) in _IN_LINE
        followed.runs = not in_line
        followed.stop_positions()
        if in_line:
            followed.start_positions(event, self._send)
        elif messages.is_terminal(event):
            self._end(followed, event)
        if new := followed.cursor.advance(event):
            await self._send(new)

    def _end(self, followed: FollowedJob, event: Event) -> None:
        self.jobs.pop(event["jobId"], None)
        self._ended[event["jobId"]] = EndedJob(event["type"], followed.cursor.run or 0)
        if len(self._ended) > _MAX_ENDED:
            del self._ended[next(iter(self._ended))]


class LostEventCheck(Periodic[Follower]):
    """The followers of one event loop: compared with the record when no events arrive."""

    every = QUIET_AFTER

    async def tick(self) -> None:
        """Check the jobs without recent events; refresh each follower that knows less than the record."""
        quiet: dict[str, list[Follower]] = defaultdict(list)
        before = time.monotonic() - QUIET_AFTER
        for follower in self.members:
            for job_id, followed in follower.jobs.items():
                if followed.last_event_at <= before:
                    quiet[job_id].append(follower)
        ids = list(quiet)
        for i in range(0, len(ids), _BATCH_SIZE):
            for job_id, state in (await job_states(ids[i : i + _BATCH_SIZE])).items():
                for follower in quiet[job_id]:
                    if _knows_less(follower.jobs.get(job_id), state):
                        await send_safely(follower.refresh(job_id))


def _knows_less(followed: FollowedJob | None, now: JobState) -> bool:
    if followed is None:
        return False
    if now.state in FINISHED or (now.state == State.ACTIVE) != followed.runs:
        return True
    if now.state != State.ACTIVE:
        return False
    cursor = followed.cursor
    # Before the first text of a run the cursor is on the previous run.
    sent = cursor.offset if cursor.run == now.run else 0
    return now.text_length > sent or (cursor.run or now.run) < now.run
