"""The times at which a recurring job is due: by a cron expression in a time zone, or at a fixed interval.

A tick of an interval is a multiple of it since the epoch, so it does not drift, and all hosts agree on it.
Where clocks are changed, an expression with fixed hours behaves as cron does: a time that does not exist runs
at the end of the gap, and a time that exists twice runs once, the first time.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from queueing.errors import BadValue

#: The greatest interval in seconds, and the greatest length of a cron expression.
MAX_EVERY, MAX_CRON = 366 * 24 * 3600, 200
#: Skipped ticks are counted up to this number; more are "more than".
MAX_COUNTED = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
#: The first period in which the newest ticks are looked for, and how much longer each further one is.
_FIRST_SPAN, _SPAN_FACTOR = timedelta(minutes=2), 8
_HOW_TO_WRITE = (
    "Write five fields: minute, hour, day of the month, month, day of the week; for example “0 3 * * *” for "
    "03:00 on each day, or “*/15 9-17 * * MON-FRI”. Six fields begin with the second."
)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Either `cron` in `time_zone`, or every `every` seconds. `checked` makes one of values from outside."""

    cron: str = ""
    every: int | None = None
    time_zone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone. Raises `BadValue` if this host does not know it."""
        return zone_named(self.time_zone)

    def ticks_after(self, after: datetime) -> Iterator[datetime]:
        """Yield the ticks after a time, in order. Raise `BadValue` if the expression cannot be read."""
        if self.every:
            number = (after - _EPOCH) // timedelta(seconds=self.every)
            while True:
                number += 1
                yield _EPOCH + timedelta(seconds=self.every * number)
        last = after
        for local in _simulation(self.cron, after.astimezone(self.zone)):
            # At a change of the clocks cronsim repeats times: the same instant, or an earlier one.
            if (tick := local.astimezone(UTC)) > last:
                last = tick
                yield tick

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first tick after a time; None if there is none."""
        return next(self.ticks_after(after), None)

    def newest(self, since: datetime, until: datetime, most: int) -> list[datetime]:
        """Return the newest ticks from `since` to `until`, both included, at most `most`, in order."""
        span = _FIRST_SPAN if not self.every else timedelta(seconds=self.every * (most + 1))
        while True:
            start = max(since, until - span)
            found: deque[datetime] = deque(maxlen=most)
            for tick in self.ticks_after(start - _SECOND):
                if tick > until:
                    break
                if tick >= start:
                    found.append(tick)
            if len(found) == most or start == since:
                return list(found)
            span *= _SPAN_FACTOR

    def count(self, since: datetime, before: datetime) -> int:
        """Return the number of ticks from `since` until `before`, not included, up to `MAX_COUNTED` + 1."""
        number = 0
        for tick in self.ticks_after(since - _SECOND):
            if tick >= before or number > MAX_COUNTED:
                break
            number += tick >= since
        return number

    def explain(self) -> str:
        """Return the times in words: `At 03:00 every day (Europe/Berlin)` or `Every 90 s`."""
        if self.every:
            return f"Every {_in_units(self.every)}"
        try:
            return f"{_simulation(self.cron, _EPOCH).explain()} ({self.time_zone})"
        except BadValue:
            return self.cron


def checked(*, cron: str, every: object, time_zone: str) -> Timing:
    """Return the timing of values from outside. Raise `BadValue` naming the field and how to write it."""
    if bool(cron) == (every is not None):
        raise BadValue("cron", "give either a cron expression or an interval, not both")
    if every is not None and not (type(every) is int and 1 <= every <= MAX_EVERY):
        raise BadValue("every", f"expected whole seconds from 1 to {MAX_EVERY:,} (a year), not {every!r}")
    zone_named(time_zone)
    timing = Timing(
        cron=" ".join(cron.split()), every=every if isinstance(every, int) else None, time_zone=time_zone
    )
    if timing.next_after(_EPOCH + timedelta(days=365 * 55)) is None:
        raise BadValue("cron", f"{cron!r} names a time that does not come. {_HOW_TO_WRITE}")
    return timing


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name. Raise `BadValue`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name of a file, a folder
        message = f"{name!r:.80} is not a time zone. Write its IANA name, for example Europe/Berlin or UTC."
        raise BadValue("time_zone", message) from None


def _simulation(cron: str, start: datetime) -> CronSim:
    if len(cron) > MAX_CRON:
        raise BadValue("cron", f"{len(cron)} characters are too many: use at most {MAX_CRON}")
    try:
        return CronSim(cron, start)
    except (CronSimError, ValueError) as exc:
        raise BadValue("cron", f"{cron!r}: {str(exc).lower()}. {_HOW_TO_WRITE}") from None


def _in_units(seconds: int) -> str:
    for length, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % length == 0:
            number = seconds // length
            return unit if number == 1 else f"{number} {unit}s"
    return "second" if seconds == 1 else f"{seconds} seconds"
