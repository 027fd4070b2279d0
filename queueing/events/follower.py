"""What one socket was told of each of its jobs, so that nothing is missed and nothing told twice.

Events can get lost on their way here (events.py). Lost text shows by the offset of the text after it.
A lost end would show nowhere: so each process asks the record, every few seconds and for all its
sockets at once, about the jobs of which nothing has been heard for a while.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from queueing.models import Job
from queueing.record.database_thread import in_thread
from queueing.schedule import redis_client, scripts
from queueing.states import FINISHED, State

from . import messages
from .messages import Event
from .periodic import Periodic, send_safely
from .positions import Positions
from .reader import EventCursor

#: Seconds without an event after which the record is asked.
QUIET = 3.0
#: Jobs asked about in one statement; texts read at a time.
_AT_ONCE = 500
_TEXTS = 100
#: Endings remembered, so that none is told twice.
_REMEMBERED = 500

_IN_LINE = ("queued", "position", "retrying")


class Followed:
    """One job, as far as its socket was told."""

    def __init__(self, event: Event) -> None:
        self.about = event
        """One of its events."""
        self.cursor = EventCursor()
        self.heard = time.monotonic()
        self.runs = False
        """Whether the last that was told is that it runs."""
        self.stop: Callable[[], None] | None = None
        """Ends the telling of its position."""

    def stop_position(self) -> None:
        """Its position is of no more interest."""
        if self.stop:
            self.stop()
            self.stop = None


class Over(NamedTuple):
    """An end that was told."""

    type: str
    run: int


class Follower:
    """One socket's. `held_up()` tells that the socket takes nothing now; `refresh_all` makes up for it."""

    def __init__(
        self, send: Callable[[Event], Awaitable[None]], held_up: Callable[[], bool] = lambda: False
    ) -> None:
        self.jobs: dict[str, Followed] = {}
        self._over: dict[str, Over] = {}
        self._send = send
        self._held_up = held_up
        self._lock = asyncio.Lock()
        Following.for_running_loop().add(self)

    def close(self) -> None:
        """The socket is gone."""
        Following.for_running_loop().discard(self)
        for known in self.jobs.values():
            known.stop_position()
        self.jobs.clear()

    async def hear(self, event: Event) -> None:
        """Pass on what is new in an event, after whatever is missing before it."""
        async with self._lock:
            if not self._is_news(event):
                return
            known = self.jobs.setdefault(event["jobId"], Followed(event))
            known.heard = time.monotonic()
            if self._held_up():
                return
            if known.cursor.has_gap_before(event):
                await self._catch_up(known)
            else:
                await self._pass(known, event)

    async def watch(self, job: Job, *, run: int | None = None, offset: int = 0) -> None:
        """Tell where `job` stands to someone who has `offset` characters of `run`, then what follows."""
        async with self._lock:
            self._over.pop(job.id.hex, None)
            known = self.jobs.setdefault(job.id.hex, Followed(messages.event_of(job, "position")))
            known.cursor = EventCursor(run, offset)
            if not self._held_up():
                await self._catch_up(known)

    async def refresh(self, job_id: str) -> None:
        """Tell what the record knows and the socket does not."""
        async with self._lock:
            if (known := self.jobs.get(job_id)) and not self._held_up():
                await self._catch_up(known)

    async def refresh_all(self) -> None:
        """As `refresh`, for each job."""
        for job_id in list(self.jobs):
            await self.refresh(job_id)

    def _is_news(self, event: Event) -> bool:
        over = self._over.get(event["jobId"])
        if not over:
            return True
        name = messages.name_of(event)
        if name in messages.ENDINGS:
            return bool(event["type"] != over.type)
        if name == "queued" or event.get("run", 0) > over.run:  # somebody had it tried again
            del self._over[event["jobId"]]
            return True
        return False

    async def _catch_up(self, known: Followed) -> None:
        job_id = known.about["jobId"]
        try:
            cursor = known.cursor
            found = await messages.catch_up(job_id, run=cursor.run, offset=cursor.offset)
        except Job.DoesNotExist:
            found = [messages.deleted_event(known.about)]
        known.heard = time.monotonic()
        for event in found:
            await self._pass(known, event)

    async def _pass(self, known: Followed, event: Event) -> None:
        name = messages.name_of(event)
        known.runs = name not in _IN_LINE
        known.stop_position()
        if name in _IN_LINE:
            known.stop = Positions.for_running_loop().watch(event, self._send)
        elif name in messages.ENDINGS:
            self._end(known, event)
        if new := known.cursor.advance(event):
            await self._send(new)

    def _end(self, known: Followed, event: Event) -> None:
        self.jobs.pop(event["jobId"], None)
        self._over[event["jobId"]] = Over(event["type"], known.cursor.run or 0)
        if len(self._over) > _REMEMBERED:
            del self._over[next(iter(self._over))]


class Following(Periodic[Follower]):
    """The safety net under all followers of a process."""

    every = QUIET

    async def tick(self) -> None:
        """Ask about the jobs that have gone quiet, and tell whoever knows less than the record."""
        quiet: dict[str, list[Follower]] = defaultdict(list)
        before = time.monotonic() - QUIET
        for follower in self.members:
            for job_id, known in follower.jobs.items():
                if known.heard <= before:
                    quiet[job_id].append(follower)
        ids = list(quiet)
        for i in range(0, len(ids), _AT_ONCE):
            for job_id, state, runs, length in await _standing(ids[i : i + _AT_ONCE]):
                for follower in quiet[job_id]:
                    if _knows_less(follower.jobs.get(job_id), state, runs, length):
                        await send_safely(follower.refresh(job_id))


def _knows_less(known: Followed | None, state: str, runs: int, length: int) -> bool:
    if known is None:
        return False
    if state in FINISHED or (state == State.ACTIVE) != known.runs:
        return True
    if state != State.ACTIVE:
        return False
    # Before the first text of a run its cursor is on the previous run.
    told = known.cursor.offset if known.cursor.run == runs else 0
    return length > told or (known.cursor.run or runs) < runs


async def _standing(ids: Sequence[str]) -> list[tuple[str, str, int, int]]:
    """(id, state, run, characters of text kept) of each; those without a row are cancelled."""
    rows = await in_thread(_rows)(ids)
    texts = await _texts([job_id for job_id, (state, _) in rows.items() if state == State.ACTIVE])
    gone = (str(State.CANCELLED), 0)
    found = []
    for job_id in ids:
        state, runs = rows.get(job_id, gone)
        run, length = texts.get(job_id, (0, 0))
        found.append((job_id, state, runs, length if run == runs else 0))
    return found


def _rows(ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    rows = Job.objects.filter(id__in=ids).values_list("id", "state", "run_count")
    return {job_id.hex: (state, runs) for job_id, state, runs in rows}


async def _texts(ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """(run, length) of the answers in flight."""
    found: dict[str, tuple[int, int]] = {}
    try:
        for i in range(0, len(ids), _TEXTS):
            some = ids[i : i + _TEXTS]
            kept: list[Any] = await redis_client.aclient().mget(
                [scripts.stream_key(job_id) for job_id in some]
            )
            for job_id, text in zip(some, kept, strict=True):
                run, said = scripts.parse_stream(text)
                found[job_id] = run, len(said)
    except redis_client.Unavailable:
        return {}
    return found
