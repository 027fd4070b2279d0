"""Typed replies of the scripts that read the schedule: a queue's counts and a job's position."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from queueing.conf import Limiter, QueueDef

#: Milliseconds added to a limiter's window for the time from Redis to the provider.
LIMITER_MARGIN_MS = 250


@dataclass(frozen=True)
class Counts:
    """The numbers of a queue at one moment. Times are in seconds."""

    waiting: int
    delayed: int
    active: int
    paused: bool
    cooldown: float
    """Time until a job may start, which the provider asked for or its failures caused."""
    oldest: float | None
    """How long the next job in line has waited; None when no job waits."""
    owner_unfinished: int
    """Unfinished jobs of the owner that the call named."""
    limiter_starts: int
    """Starts in the limiter's window."""
    first_start: float
    """Age of the oldest of `limiter_starts`."""
    outage: bool = False
    """Whether the provider does not answer; the next job tries it at the end of the cooldown."""
    share_unfinished: int = 0
    """Unfinished jobs of all owners who have the share of the owner that the call named."""
    parked: int = 0
    """Waiting jobs that no claim finds now."""
    changed: dict[str, Any] = field(default_factory=dict)
    """The limits that operators changed, as fields of `QueueDef`."""

    @property
    def unfinished(self) -> int:
        """The number of unfinished jobs."""
        return self.waiting + self.delayed + self.active

    def under(self, queue: QueueDef) -> QueueDef:
        """Return `queue` with the limits that are in force now."""
        return replace(queue, **self.changed) if self.changed else queue


def read_counts(reply: list[int]) -> Counts:
    """Return the reply of counts.lua as `Counts`."""
    waiting, delayed, active, paused, cooldown, oldest, owner_unfinished, starts, first_start, outage = reply[
        :10
    ]
    return Counts(
        waiting=waiting,
        delayed=delayed,
        active=active,
        paused=bool(paused),
        cooldown=cooldown / 1000,
        oldest=None if oldest < 0 else oldest / 1000,
        owner_unfinished=owner_unfinished,
        limiter_starts=starts,
        first_start=first_start / 1000,
        outage=bool(outage),
        share_unfinished=reply[10],
        parked=reply[16],
        changed=_changed(reply[11:16]),
    )


def _changed(limits: list[int]) -> dict[str, Any]:
    names = ("concurrency", "global_concurrency", "owner_concurrency")
    changed: dict[str, Any] = {n: value for n, value in zip(names, limits, strict=False) if value >= 0}
    maximum, window_ms = limits[3:]
    if maximum >= 0:
        limiter = Limiter(maximum, (window_ms - LIMITER_MARGIN_MS) / 1000) if maximum else None
        changed["limiter"] = limiter
    return changed


class Position(NamedTuple):
    """Where a job is in the schedule."""

    state: str
    """`waiting`, `delayed` or `active`."""
    ahead: int
    """Jobs before this one in line; 0 unless waiting."""
    due: float
    """Seconds until the job becomes waiting; 0 unless delayed."""
    failing: bool = False
    """Whether it is delayed because its provider failed."""
    unable: bool = False
    """Whether the job waits for a worker that can do it."""
    limit: str = ""
    """The name of the limit, at its maximum, that the job waits for."""


def read_positions(reply: list[Any]) -> list[Position | None]:
    """Return the reply of positions.lua, with None for each job that Redis does not know."""
    return [_position(state, int(number)) for state, number in zip(reply[::2], reply[1::2], strict=True)]


def _position(state: str, number: int) -> Position | None:
    if state == "unknown":
        return None
    if state == "failing":
        return Position("delayed", 0, number / 1000, failing=True)
    if state.startswith("limit:"):
        return Position("waiting", number, 0.0, limit=state.removeprefix("limit:"))
    if number < 0:
        return Position(state, -1 - number, 0.0, unable=True)
    return Position(state, number if state == "waiting" else 0, number / 1000 if state == "delayed" else 0.0)
