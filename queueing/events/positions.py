"""Positions in line, sent to clients when they change.

Each web process checks once a second the jobs that its own sockets wait for: the cost grows with the
clients, not with the jobs in line or their throughput. Without waiting clients nothing runs.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from queueing.record.database_thread import in_thread

from . import messages
from .periodic import Periodic, send_safely
from .waits import delay_reasons, standing
from .waits.standing import Standing

logger = logging.getLogger(__name__)

Send = Callable[[messages.Event], Awaitable[None]]

#: Jobs checked by one script.
_BATCH_SIZE = 500
#: A new estimate larger by this factor than the one shown is sent, with the reason `slow`.
_SLOW_FACTOR = 1.5


class WatchedJob:
    """A job that clients of this process wait for."""

    def __init__(self, event: messages.Event) -> None:
        self.queue: str = event["queue"]
        self.event = messages.common_fields(event) | {
            "type": messages.topic_of(event) + ":position",
            "queue": self.queue,
        }
        self.sends: list[Send] = []
        self.shown: Standing | None = None
        """The standing after `steady`; `last_sent` is what the clients got."""
        if "position" in event:
            self.shown = Standing(event["position"], event["estimatedWait"])
        self.last_sent = self.shown


class Positions(Periodic[str]):
    """The watched jobs of one event loop; its members are their ids."""

    def __init__(self) -> None:
        super().__init__()
        self._watched: dict[str, WatchedJob] = {}

    def watch(self, event: messages.Event, send: Send) -> Callable[[], None]:
        """Send the position of the event's job whenever it changes; return a function that stops this.

        `event` is one of the job's events that names its `queue`.
        """
        job_id = event["jobId"]
        new = WatchedJob(event)
        watched = self._watched.setdefault(job_id, new)
        watched.sends.append(send)
        if new.shown != watched.shown:
            watched.last_sent = None
        self.add(job_id)

        def stop() -> None:
            if send in watched.sends:
                watched.sends.remove(send)
            if not watched.sends and self._watched.get(job_id) is watched:
                del self._watched[job_id]
                self.discard(job_id)

        return stop

    async def tick(self) -> None:
        """Send the positions that changed."""
        by_queue: dict[str, list[WatchedJob]] = defaultdict(list)
        for watched in self._watched.values():
            by_queue[watched.queue].append(watched)
        for queue, all_watched in by_queue.items():
            for i in range(0, len(all_watched), _BATCH_SIZE):
                try:
                    await _update(queue, all_watched[i : i + _BATCH_SIZE])
                except Exception:  # of one queue: the others get theirs
                    logger.exception("the positions in %s were not sent", queue)


async def _update(queue: str, jobs: list[WatchedJob]) -> None:
    standings = await standing.standings(queue, [job.event["jobId"] for job in jobs])
    delayed = []
    for job, now in zip(jobs, standings, strict=True):
        if _is_delayed(now):
            delayed.append(job)
        elif now.position or now.wait:  # a running or finished job has events of its own
            job.shown = steady(job.shown, now)
            if job.shown != job.last_sent:
                await _send(job, job.shown)
    await _update_delayed(delayed)


async def _update_delayed(delayed: list[WatchedJob]) -> None:
    """Send changed places among the owner's delayed jobs; the delay itself is known from the start."""
    by_id = {job.event["jobId"]: job for job in delayed if delay_reasons.DELAY_REASON in job.event}
    if not by_id:
        return
    for job_id, wait in (await in_thread(delay_reasons.expected_waits)(by_id)).items():
        job = by_id.get(job_id)
        if job and _place(job.last_sent) != _place(now := Standing(None, wait)):
            await _send(job, now)


def _is_delayed(standing: Standing) -> bool:
    return bool(standing.wait and standing.wait["reason"] == "delayed")


def _place(standing: Standing | None) -> tuple[object, object]:
    wait = (standing and standing.wait) or {}
    return wait.get("place"), wait.get("of")


async def _send(job: WatchedJob, standing: Standing) -> None:
    job.last_sent = standing
    event = job.event | {"position": standing.position, "estimatedWait": standing.wait}
    for send in list(job.sends):
        await send_safely(send(event))


def steady(shown: Standing | None, now: Standing) -> Standing:
    """Return what to show now. The wait grows only when the job fell back or the reason changed.

    Small swings of the estimate are not shown; a large one is shown with the reason `slow`.
    """
    if shown and _is_same_outage(shown, now):
        return shown
    if shown is None or not _comparable(shown, now):
        return now
    before: dict[str, Any] = shown.wait or {}
    wait: dict[str, Any] = now.wait or {}
    if wait["high"] > before["high"] * _SLOW_FACTOR + 1:
        return Standing(now.position, wait | {"reason": "slow"})
    high = min(before["high"], wait["high"])
    steadied = {"low": min(before["low"], wait["low"], high), "high": high}
    # A wait shown as slow stays so until it becomes shorter.
    slow = before["reason"] == "slow" and high == before["high"]
    return Standing(now.position, wait | steadied | ({"reason": "slow"} if slow else {}))


def _is_same_outage(shown: Standing, now: Standing) -> bool:
    """Return whether both wait for the same next try of a provider that does not answer."""
    before, wait = shown.wait or {}, now.wait or {}
    if shown.position != now.position or before.get("reason") != wait.get("reason"):
        return False
    ends_are_unknown = before.get("high") is None and wait.get("high") is None
    return ends_are_unknown and (wait.get("low") or 0) <= (before.get("low") or 0)


def _comparable(shown: Standing, now: Standing) -> bool:
    """Return whether both have a range with the same reason, and the job did not fall back."""
    if not shown.position or not now.position or now.position > shown.position:
        return False
    if not shown.wait or not now.wait or None in (shown.wait["high"], now.wait["high"]):
        return False
    return shown.wait["reason"] in (now.wait["reason"], "slow")
