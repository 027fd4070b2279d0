"""Positions, pushed when they change.

Each web process looks once a second at the jobs its own sockets wait for: the cost follows the
watchers, not the jobs in line or the pace at which they end. Nobody watching costs nothing.
"""

import asyncio
import logging
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable

from . import events, status
from .status import Standing

logger = logging.getLogger(__name__)

Send = Callable[[events.Event], Awaitable[None]]

_EVERY = 1.0
#: What a `retrying` event has besides.
_NOT_OF_A_POSITION = {"attempt", "of", "in", "reason", "code"}
#: Jobs asked about in one script.
_AT_ONCE = 500


class _Watched:
    """A job somebody waits for."""

    def __init__(self, queue: str, event: events.Event) -> None:
        self.queue = queue
        self.event = event
        self.sends: list[Send] = []
        self.told: Standing | None = None


class Positions:
    """The watchers of one event loop."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._ticker: asyncio.Task[None] | None = None

    def watch(self, event: events.Event, send: Send) -> Callable[[], None]:
        """Tell `send` the position of the job that `event` is about whenever it changes.

        `event` is one of the job's that names its `queue`. The return value ends it.
        """
        job_id = event["jobId"]
        watched = self._watched.setdefault(job_id, _Watched(event["queue"], _about_position(event)))
        watched.sends.append(send)
        watched.told = None
        if self._ticker is None or self._ticker.done():
            self._ticker = asyncio.create_task(self._tick())

        def stop() -> None:
            if send in watched.sends:
                watched.sends.remove(send)
            if not watched.sends and self._watched.get(job_id) is watched:
                del self._watched[job_id]

        return stop

    async def _tick(self) -> None:
        while self._watched:
            await asyncio.sleep(_EVERY)
            try:
                await self._look()
            except Exception:
                logger.exception("positions could not be told; going on")

    async def _look(self) -> None:
        by_queue: dict[str, list[_Watched]] = defaultdict(list)
        for watched in self._watched.values():
            by_queue[watched.queue].append(watched)
        for queue, all_watched in by_queue.items():
            for i in range(0, len(all_watched), _AT_ONCE):
                some = all_watched[i : i + _AT_ONCE]
                standings = await status.places(queue, [w.event["jobId"] for w in some])
                for watched, standing in zip(some, standings, strict=True):
                    await self._tell(watched, standing)

    async def _tell(self, watched: _Watched, standing: Standing) -> None:
        if standing == watched.told:
            return
        watched.told = standing
        if not standing.position and (standing.wait is None or standing.wait["reason"] == "delayed"):
            return  # it runs, is over, or waits for a retry: its own events say so
        event = watched.event | {"position": standing.position, "estimatedWait": standing.wait}
        for send in list(watched.sends):
            await send(event)


def _about_position(event: events.Event) -> events.Event:
    """The `position` event of the same job, its position still the old one."""
    topic = event["type"].partition(":")[0]
    kept = {name: value for name, value in event.items() if name not in _NOT_OF_A_POSITION}
    return kept | {"type": f"{topic}:position"}


_by_loop: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Positions]" = weakref.WeakKeyDictionary()


def positions() -> Positions:
    """The running loop's watchers."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = Positions()
    return _by_loop[loop]
