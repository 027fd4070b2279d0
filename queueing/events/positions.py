"""Positions, pushed when they change.

Each web process looks once a second at the jobs its own sockets wait for: the cost follows the
watchers, not the jobs in line or the pace at which they end. Nobody watching costs nothing.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from queueing.record.database_thread import in_thread

from . import delay_reasons, messages, standing
from .periodic import Periodic, send_safely
from .standing import Standing

Send = Callable[[messages.Event], Awaitable[None]]

#: Jobs asked about in one script.
_AT_ONCE = 500
#: An estimate this much above what was shown is no accident: it is told, and why.
_MUCH = 1.5


class Watched:
    """A job somebody waits for."""

    def __init__(self, event: messages.Event) -> None:
        self.queue: str = event["queue"]
        self.event = messages.common_fields(event) | {
            "type": messages.topic_of(event) + ":position",
            "queue": self.queue,
        }
        self.sends: list[Send] = []
        self.shown: Standing | None = None
        if "position" in event:
            self.shown = Standing(event["position"], event["estimatedWait"])
        self.told = self.shown


class Positions(Periodic[str]):
    """The watchers of one event loop; its members are the jobs' ids."""

    def __init__(self) -> None:
        super().__init__()
        self._watched: dict[str, Watched] = {}

    def watch(self, event: messages.Event, send: Send) -> Callable[[], None]:
        """Tell `send` the position of the job that `event` is about whenever it changes.

        `event` is one of the job's that names its `queue`. The return value ends it.
        """
        job_id = event["jobId"]
        fresh = Watched(event)
        watched = self._watched.setdefault(job_id, fresh)
        watched.sends.append(send)
        if fresh.shown != watched.shown:
            watched.told = None
        self.add(job_id)

        def stop() -> None:
            if send in watched.sends:
                watched.sends.remove(send)
            if not watched.sends and self._watched.get(job_id) is watched:
                del self._watched[job_id]
                self.discard(job_id)

        return stop

    async def tick(self) -> None:
        """Where do they all stand?"""
        by_queue: dict[str, list[Watched]] = defaultdict(list)
        for watched in self._watched.values():
            by_queue[watched.queue].append(watched)
        for queue, all_watched in by_queue.items():
            for i in range(0, len(all_watched), _AT_ONCE):
                some = all_watched[i : i + _AT_ONCE]
                standings = await standing.places(queue, [w.event["jobId"] for w in some])
                for watched, where in zip(some, standings, strict=True):
                    await _tell(watched, where)
                await _tell_held([w for w, s in zip(some, standings, strict=True) if _is_delayed(s)])


async def _tell_held(delayed: list[Watched]) -> None:
    """Their time is known from the start; only their place among the owner's own changes."""
    perhaps = {w.event["jobId"]: w for w in delayed if delay_reasons.DELAY_REASON in w.event}
    if not perhaps:
        return
    for job_id, wait in (await in_thread(delay_reasons.waits)(perhaps)).items():
        watched = perhaps.get(job_id)
        if watched and _among_own(watched.told) != _among_own(now := Standing(None, wait)):
            await _pass_on(watched, now)


def _is_delayed(standing: Standing) -> bool:
    return bool(standing.wait and standing.wait["reason"] == "delayed")


def _among_own(standing: Standing | None) -> tuple[object, object]:
    wait = (standing and standing.wait) or {}
    return wait.get("place"), wait.get("of")


async def _tell(watched: Watched, standing: Standing) -> None:
    if not standing.position and (standing.wait is None or _is_delayed(standing)):
        return  # it runs, is over, waits for its turn or a retry: other events say so
    watched.shown = steady(watched.shown, standing)
    if watched.shown == watched.told:
        return
    await _pass_on(watched, watched.shown)


async def _pass_on(watched: Watched, standing: Standing) -> None:
    watched.told = standing
    event = watched.event | {"position": standing.position, "estimatedWait": standing.wait}
    for send in list(watched.sends):
        await send_safely(send(event))


def steady(shown: Standing | None, now: Standing) -> Standing:
    """What to show now. A wait only grows when the job fell back or the reason is another one.

    Small swings of the estimate are kept from the reader; a big one is told with the reason `slow`.
    """
    if shown is None or not _comparable(shown, now):
        return now
    before: dict[str, Any] = shown.wait or {}
    wait: dict[str, Any] = now.wait or {}
    if wait["high"] > before["high"] * _MUCH + 1:
        return Standing(now.position, wait | {"reason": "slow"})
    high = min(before["high"], wait["high"])
    kept = {"low": min(before["low"], wait["low"], high), "high": high}
    # What was said to be slow stays so until it has become quicker.
    slow = before["reason"] == "slow" and high == before["high"]
    return Standing(now.position, wait | kept | ({"reason": "slow"} if slow else {}))


def _comparable(shown: Standing, now: Standing) -> bool:
    """Whether there are two ranges with one reason, and no step back in line between them."""
    if not shown.position or not now.position or now.position > shown.position:
        return False
    if not shown.wait or not now.wait or None in (shown.wait["high"], now.wait["high"]):
        return False
    return shown.wait["reason"] in (now.wait["reason"], "slow")
