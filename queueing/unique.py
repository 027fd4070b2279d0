"""Unique jobs: of several submissions that mean the same work, one job does it.

    submit("feed.fetch", {"url": url}, unique=Unique(by=("url",)))

The key is in the row of the job, in a unique index whose condition is the span: the statement that ends the
span gives the key free, in any process. There is no list of keys beside the jobs.
"""

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from hashlib import sha256
from typing import Any

from .conf import get_conf
from .errors import BadSubmission
from .values.numbers import is_duration

_SPANS, _REACTIONS = ("end", "start", "period"), ("return", "replace", "latest")
#: Ends the key of a job that waits for the end of the one that has the key.
NEXT = "+"


@dataclass(frozen=True, slots=True)
class Unique:
    """What makes a job unique, for how long, and what a second submission does. Wrong values raise."""

    key: str = ""
    """What the job is about, within its kind. Without it, the arguments decide."""
    _: KW_ONLY
    by: tuple[str, ...] = ()
    """The names of the arguments that decide, in place of all."""
    until: str = "end"
    """How long the job is the only one: until its `end`, its first `start`, or for a `period`."""
    period: float | None = None
    """Seconds from the submission, with `until="period"`."""
    on_conflict: str = "return"
    """`return` the job that is there; `replace` its arguments while it has not begun; or keep the `latest`
    arguments for one more job after it."""
    max_wait: float | None = None
    """Seconds after the first submission beyond which the delay of further ones does not postpone the job."""
    across_owners: bool = False
    """Whether jobs of other owners count."""

    def __post_init__(self) -> None:
        for is_wrong, message in (
            (not isinstance(self.key, str) or not self.key.isprintable(), "key: use printable text"),
            (not _are_names(self.by), "by: use a list of names of arguments"),
            (bool(self.key and self.by), "key and by exclude each other"),
            (self.until not in _SPANS, f"until: use one of {', '.join(_SPANS)}"),
            (self.on_conflict not in _REACTIONS, f"on_conflict: use one of {', '.join(_REACTIONS)}"),
            ((self.until == "period") != (self.period is not None), "period belongs to until='period'"),
            (self.period is not None and not is_duration(self.period), "period: use seconds above 0"),
            (self.on_conflict == "latest" and self.until != "end", "latest needs until='end'"),
            (self.on_conflict == "replace" and self.until == "period", "replace does not go with a period"),
            (self.max_wait is not None and self.on_conflict == "return", "max_wait: nothing is postponed"),
            (self.max_wait is not None and not is_duration(self.max_wait), "max_wait: use seconds above 0"),
            (type(self.across_owners) is not bool, "across_owners: use True or False"),
        ):
            if is_wrong:
                raise BadSubmission("unique", message)

    def key_of(self, kind: str, owner: str, args: Mapping[str, Any]) -> str:
        """Return the key of a job, which does not reveal what it is made of."""
        if missing := [name for name in self.by if name not in args]:
            raise BadSubmission("unique", f"by: the job has no argument {missing[0]!r}")
        if self.period is not None and self.period > get_conf().keep_days * 86_400:
            raise BadSubmission("unique", "period: finished jobs are kept for KEEP_DAYS, which is shorter")
        about = self.key or {name: args[name] for name in self.by or args}
        text = json.dumps([kind, about], sort_keys=True, separators=(",", ":"))
        key = sha256(text.encode()).hexdigest()
        return key if self.across_owners else key + mark_of(owner)


def _are_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def mark_of(owner: str) -> str:
    """Return the end of the keys of an owner's jobs."""
    return ":" + sha256(owner.encode()).hexdigest()[:32]
