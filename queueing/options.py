"""Options of a kind (`@job`) and of a single job (`submit`). Each is checked where it is given.

The option of the job is used, else that of its kind, else the setting of its queue. `attempts`, `expires`
and `tags` are decided when the job is submitted. `timeout` and `backoff` of a kind are read when a run needs
them, so a change of the code also holds for jobs in line.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, fields
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
_MAX_LIMITS, _MAX_LIMIT_TEXT, _MAX_CONCURRENT = 4, 64, 10_000
_LIMIT_TEXT = f"a text of 1 to {_MAX_LIMIT_TEXT} printable characters"
_TAG = re.compile(r"\w[\w-]+\w", re.ASCII)


#: Return the key of a job from its arguments and its owner; None if the limit does not apply to the job.
KeyFunction = Callable[[dict[str, Any], str], str | None]


@dataclass(frozen=True, slots=True)
class Limit:
    """A maximum number of active jobs of a queue that have the same name of a limit and the same key."""

    name: str
    _: KW_ONLY
    by: KeyFunction | str
    """The key of all jobs of the kind, or a function that returns the key of a job."""
    concurrent: int

    def key_of(self, args: dict[str, Any], owner: str) -> str | None:
        """Return the key of a job. Raise `BadSubmission` if the function does not return a usable one."""
        try:
            key = self.by if isinstance(self.by, str) else self.by(args, owner)
        except Exception as exc:
            raise BadSubmission("limits", f"the key of {self.name!r} cannot be found: {exc!r:.200}") from exc
        if key is not None and not _is_limit_text(key):
            raise BadSubmission("limits", f"the key of {self.name!r} must be {_LIMIT_TEXT}, not {key!r:.100}")
        return key


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
    limits: Sequence[Limit] | None
    """For a kind: how many of its jobs with the same key run at the same time."""
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
    limits: tuple[Limit, ...] = ()

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
    if given.get("limits"):
        raise BadSubmission("limits", "give them to the kind")
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


def with_limits(
    options: dict[str, Any] | None, limits: Iterable[Limit], args: dict[str, Any], owner: str
) -> dict[str, Any] | None:
    """Return what the row of a job keeps, with the keys of its limits."""
    keys = [(limit.name, limit.key_of(args, owner), limit.concurrent) for limit in limits]
    kept = [limit for limit in keys if limit[1] is not None]
    return (options or {}) | {"limits": kept} if kept else options


def stored_limits(options: Mapping[str, Any] | None) -> list[tuple[str, str, int]]:
    """Return the limits that a row keeps: the name, the key and the maximum of each."""
    return [(name, key, most) for name, key, most in (options or {}).get("limits", ())]


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


def _is_limit_text(text: Any) -> bool:
    return isinstance(text, str) and 1 <= len(text) <= _MAX_LIMIT_TEXT and text.isprintable()


def _limits(value: Any) -> tuple[Limit, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, Limit) for one in value):
        raise BadSubmission("limits", "use a list of Limit(…)")
    if len(value) > _MAX_LIMITS or len({one.name for one in value}) < len(value):
        raise BadSubmission("limits", f"use at most {_MAX_LIMITS}, each with a name of its own")
    for limit in value:
        if not _is_limit_text(limit.name):
            raise BadSubmission("limits", f"the name {limit.name!r:.100} must be {_LIMIT_TEXT}")
        if not callable(limit.by) and not _is_limit_text(limit.by):
            raise BadSubmission("limits", f"the key of {limit.name!r} must be a function, or {_LIMIT_TEXT}")
        if type(limit.concurrent) is not int or not 1 <= limit.concurrent <= _MAX_CONCURRENT:
            raise BadSubmission("limits", f"concurrent of {limit.name!r} must be 1 to {_MAX_CONCURRENT:,}")
    return tuple(value)


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
    "limits": _limits,
}
