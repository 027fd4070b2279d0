"""Options of a kind (`@job`) and of a single job (`submit`). Each is checked where it is given.

The option of the job is used, else that of its kind, else the setting of its queue. `attempts`, `expires`
and `tags` are decided when the job is submitted. `timeout` and `backoff` of a kind are read when a run needs
them, so a change of the code also holds for jobs in line.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from inspect import iscoroutinefunction
from typing import Any, TypedDict

from django.utils import timezone

from .conf import BACKOFF_RULES, Backoff
from .errors import BadSubmission
from .values.numbers import YEAR, is_duration, is_number

#: Return the seconds to wait after an attempt (1 for the first) has failed with an error; None to give up.
BackoffFunction = Callable[[int, BaseException], float | None]

#: The maximum of `Job.max_attempts`.
_MAX_ATTEMPTS = 32_767
_MAX_TAGS, _MAX_TAG_LENGTH = 10, 255
_TAG = re.compile(r"\w[\w-]+\w", re.ASCII)


class GivenOptions(TypedDict, total=False):
    """The options that `@job` and `submit` accept. None is the same as no option."""

    attempts: int | None
    """Maximum attempts, including the first."""
    timeout: float | None
    """Maximum seconds of an attempt."""
    backoff: Mapping[str, Any] | BackoffFunction | None
    """A dict as in the settings of a queue. A kind may have a function instead."""
    expires: float | datetime | None
    """The job does not start later: seconds after it may start, or (for a single job) a time."""
    tags: list[str] | tuple[str, ...] | None
    """Words by which operators find the job, in addition to those of its kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Checked options; those that were not given are None."""

    attempts: int | None = None
    timeout: float | None = None
    backoff: Backoff | BackoffFunction | None = None
    expires: float | datetime | None = None
    tags: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any] | None:
        """Return what the row of a job keeps of its own options, for its runs; None if there is nothing."""
        kept: dict[str, Any] = {}
        if self.timeout is not None:
            kept["timeout"] = self.timeout
        if isinstance(self.backoff, Backoff):
            kept["backoff"] = asdict(self.backoff)
        return kept or None


NO_OPTIONS = Options()


def of_job(given: Mapping[str, Any]) -> Options:
    """Return the checked options of one job. Raise `BadSubmission` with the name of a wrong one."""
    if not given:
        return NO_OPTIONS
    if callable(given.get("backoff")):
        raise BadSubmission("backoff", "a function cannot be stored with a job: give it to the kind")
    return _checked(given)


def of_kind(given: Mapping[str, Any]) -> Options:
    """Return the checked options of a kind. Raise `ValueError` with the name of a wrong one."""
    if isinstance(given.get("expires"), datetime):
        raise BadSubmission("expires", "use seconds: a time would be the same for all jobs of the kind")
    return _checked(given)


def stored_backoff(options: Mapping[str, Any]) -> Backoff | None:
    """Return the backoff that a row keeps, without fields that only newer code knows."""
    kept = options.get("backoff")
    return Backoff(**{name: kept[name] for name in _BACKOFF_TYPES if name in kept}) if kept else None


def _checked(given: Mapping[str, Any]) -> Options:
    if unknown := sorted(set(given) - set(_CHECKS)):
        raise TypeError(f"unexpected keyword argument {unknown[0]!r} (options: {', '.join(_CHECKS)})")
    return Options(**{name: _CHECKS[name](value) for name, value in given.items() if value is not None})


def _attempts(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= _MAX_ATTEMPTS:
        raise BadSubmission("attempts", f"use a whole number from 1 (only the first) to {_MAX_ATTEMPTS}")
    return value


def _seconds(option: str, value: Any) -> float:
    if not is_duration(value):
        raise BadSubmission(option, f"use a number of seconds above 0, up to {YEAR} (a year)")
    return float(value)


def _timeout(value: Any) -> float:
    return _seconds("timeout", value)


def _expires(value: Any) -> float | datetime:
    if not isinstance(value, datetime):
        return _seconds("expires", value)
    if timezone.is_naive(value):
        raise BadSubmission("expires", "use a time with a time zone")
    if value > (now := timezone.now()) + timedelta(seconds=YEAR):
        raise BadSubmission("expires", "the time is more than a year ahead")
    return max(value, now)  # a deadline that has just passed is none of the caller's mistakes


def _tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise BadSubmission("tags", f"use a list of texts, not {type(value).__name__}")
    for tag in value:
        if not isinstance(tag, str) or len(tag) > _MAX_TAG_LENGTH or not _TAG.fullmatch(tag):
            allowed = f"use 3 to {_MAX_TAG_LENGTH} letters, digits and _ or -, not - at an end"
            raise BadSubmission("tags", f"{allowed}, not {tag!r:.100}" if isinstance(tag, str) else allowed)
    return merged_tags(tuple(value), ())


def merged_tags(tags: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tags of both, each once. Raise `BadSubmission` if they are too many."""
    merged = tuple(dict.fromkeys((*tags, *more)))
    if len(merged) > _MAX_TAGS:
        raise BadSubmission(
            "tags", f"a job can have {_MAX_TAGS} tags with those of its kind, not {len(merged)}"
        )
    return merged


_BACKOFF_TYPES = {field.name: field.type for field in fields(Backoff)}


def _backoff(value: Any) -> Backoff | BackoffFunction:
    if callable(value) and not isinstance(value, type):
        if iscoroutinefunction(value):
            raise BadSubmission("backoff", "the function must not be a coroutine function")
        return value
    if not isinstance(value, Mapping):
        raise BadSubmission(
            "backoff", f"use a dict such as {{'type': 'fixed', 'delay': 5}}, not {type(value).__name__}"
        )
    for name, part in value.items():
        if name not in _BACKOFF_TYPES:
            raise BadSubmission("backoff", f"its fields are {', '.join(_BACKOFF_TYPES)}")
        if not (isinstance(part, str) if _BACKOFF_TYPES[name] is str else is_number(part)):
            raise BadSubmission("backoff", f"{name} cannot be this {type(part).__name__}")
    backoff = Backoff(**value)
    for name, is_right, allowed in BACKOFF_RULES:
        if not is_right(backoff):
            raise BadSubmission("backoff", f"{name} must be {allowed}")
    return backoff


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "attempts": _attempts,
    "timeout": _timeout,
    "backoff": _backoff,
    "expires": _expires,
    "tags": _tags,
}
