"""What Redis tells of a queue and of a job's place in it."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from queueing.conf import Limiter, QueueDef

#: Milliseconds added to a limiter's window for the way from Redis to the provider.
LIMITER_MARGIN = 250


@dataclass(frozen=True)
class Counts:
    """What a queue holds at one moment. Times in seconds."""

    waiting: int
    delayed: int
    active: int
    paused: bool
    cooldown: float
    """What is left of the provider's cooldown."""
    oldest: float | None
    """How long the next in line has waited."""
    owner_unfinished: int
    """Unfinished jobs of the owner asked about."""
    limiter_starts: int
    """Starts in the limiter's window."""
    first_start: float
    """Age of the oldest of those."""
    changed: dict[str, Any] = field(default_factory=dict)
    """Limits that operators changed: fields of `QueueDef`."""

    @property
    def unfinished(self) -> int:
        """Jobs that are not over."""
        return self.waiting + self.delayed + self.active

    def under(self, queue: QueueDef) -> QueueDef:
        """The queue with the limits that hold now."""
        return replace(queue, **self.changed) if self.changed else queue


def read_counts(r: list[int]) -> Counts:
    """The reply of counts.lua."""
    oldest = None if r[5] < 0 else r[5] / 1000
    return Counts(r[0], r[1], r[2], bool(r[3]), r[4] / 1000, oldest, r[6], r[7], r[8] / 1000, _changed(r[9:]))


def _changed(limits: list[int]) -> dict[str, Any]:
    names = ("concurrency", "global_concurrency", "owner_concurrency")
    changed: dict[str, Any] = {n: value for n, value in zip(names, limits, strict=False) if value >= 0}
    most, ms = limits[3:]
    if most >= 0:
        changed["limiter"] = Limiter(most, (ms - LIMITER_MARGIN) / 1000) if most else None
    return changed


class Position(NamedTuple):
    """Where a job stands."""

    state: str
    """`waiting`, `delayed` or `active`."""
    ahead: int
    """Jobs before it in line; 0 unless waiting."""
    due: float
    """Seconds until it is due; 0 unless delayed."""


def read_positions(reply: list[Any]) -> list[Position | None]:
    """The reply of places.lua."""
    return [_position(state, int(number)) for state, number in zip(reply[::2], reply[1::2], strict=True)]


def _position(state: str, number: int) -> Position | None:
    if state == "unknown":
        return None
    return Position(state, number if state == "waiting" else 0, number / 1000 if state == "delayed" else 0.0)
