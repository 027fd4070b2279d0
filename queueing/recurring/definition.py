"""What a recurring job is: its checked definition, and those that code declares.

    recurring("clean-up", cron="0 3 * * *", time_zone="Europe/Berlin", kind="files.clean_up")

Modules named `jobs` are imported at start, so the call is enough. `declaring.py` copies them to the record.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from django.conf import settings

from queueing.errors import BadSubmission, BadValue
from queueing.models import RecurringJob
from queueing.record.job_spec import JobSpec

from . import timing
from .timing import Timing

MISSED = ("skip", "one", "all")
OVERLAP = ("skip", "queue", "allow")
#: The greatest age in seconds at which a missed tick runs, if it is not chosen: at least and at most. Any age
#: that is chosen is at most a week.
MIN_GRACE, MAX_GRACE, LONGEST_GRACE = 120, 7200, 7 * 24 * 3600
_MAX_NAME = 100
#: Name -> definition.
_declared: dict[str, "Definition"] = {}


@dataclass(frozen=True, kw_only=True)
class Definition:
    """The fields of a recurring job that a person chooses. The model explains them."""

    name: str
    kind: str
    args: dict[str, Any] = field(default_factory=dict)
    owner: str = ""
    cron: str = ""
    every: int | None = None
    time_zone: str = ""
    missed: str = "one"
    grace: int | None = None
    overlap: str = "skip"

    def check(self) -> None:
        """Raise `BadValue` naming the first field with a wrong value."""
        if not (isinstance(self.name, str) and 1 <= len(self.name) <= _MAX_NAME and self.name.isprintable()):
            raise BadValue("name", f"use 1 to {_MAX_NAME} printable characters")
        timing.checked(cron=self.cron, every=self.every, time_zone=self.time_zone)
        for name, known in (("missed", MISSED), ("overlap", OVERLAP)):
            if getattr(self, name) not in known:
                raise BadValue(name, f"use one of {', '.join(known)}, not {getattr(self, name)!r}")
        if self.grace is not None and not (type(self.grace) is int and 1 <= self.grace <= LONGEST_GRACE):
            raise BadValue("grace", f"expected whole seconds from 1 to {LONGEST_GRACE:,} (a week)")

    def check_job(self) -> None:
        """Raise `BadValue` if no job could be submitted: an unknown kind, or arguments it does not take."""
        try:
            JobSpec(kind=self.kind, owner=self.owner).build(self.args)
        except BadSubmission as exc:
            raise BadValue(exc.field, exc.message) from None

    def values(self) -> dict[str, Any]:
        """Return the values of all fields by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def recurring(
    name: str,
    *,
    kind: str,
    args: dict[str, Any] | None = None,
    owner: str = "",
    cron: str = "",
    every: int | None = None,
    time_zone: str = "",
    missed: str = "one",
    grace: int | None = None,
    overlap: str = "skip",
) -> None:
    """Declare a recurring job. The next start of a cluster stores it, and follows its changes, by `name`.

    It is due by `cron` in `time_zone` (an IANA name, by default `TIME_ZONE`), or each `every` seconds since
    the epoch. At each tick it submits a job of `kind` with `args` for `owner`; its `ctx.meta["tick"]` is the
    time of the tick. `missed` says what happens to ticks that no worker handled in time: `skip` them, run
    `one` job for all of them, or `all`, at most the newest 100. None runs that is older than `grace` seconds,
    by default half of the interval, but at least 2 minutes and at most 2 hours. While the job of an earlier
    tick is unfinished, a tick is skipped (`overlap="skip"`), waits for it (`queue`), or runs beside it
    (`allow`).

    Raise `BadValue`, a `ValueError`, naming the field; also for a name that is declared already.
    """
    definition = Definition(
        name=name,
        kind=kind,
        args=args or {},
        owner=owner,
        cron=" ".join(cron.split()),
        every=every,
        time_zone=time_zone or settings.TIME_ZONE,
        missed=missed,
        grace=grace,
        overlap=overlap,
    )
    definition.check()
    if _declared.get(name, definition) != definition:
        raise BadValue("name", f"the recurring job {name!r} is declared twice")
    _declared[name] = definition


def declared() -> list[Definition]:
    """Return all definitions in the code, ordered by name."""
    return [definition for _, definition in sorted(_declared.items())]


def definition_of(row: RecurringJob) -> Definition:
    """Return the definition that a row stores."""
    return Definition(**{one.name: getattr(row, one.name) for one in fields(Definition)})


def timing_of(row: RecurringJob) -> Timing:
    """Return the timing that a row stores."""
    return Timing(cron=row.cron, every=row.every, time_zone=row.time_zone)
