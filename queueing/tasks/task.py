"""The class of our tasks: those of the framework, and what a job has besides."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from queueing import options
from queueing.options import Options

from .framework import default_framework

_Task: Any = default_framework().task
#: The options of jobs (options.py), as fields of tasks.
_OPTIONS = ("attempts", "timeout", "backoff", "expires", "tags")
_OWN_FIELDS = ("owner", "share", "request_id", *_OPTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueingTask(_Task):
    """A task whose jobs have an owner, with whom others take turns, a request id, and options.

    Options have no part in comparisons: the task of a result has those of its definition.
    """

    owner: str = ""
    share: str = ""
    request_id: str = ""
    attempts: Any = field(default=None, compare=False)
    timeout: Any = field(default=None, compare=False)
    backoff: Any = field(default=None, compare=False)
    expires: Any = field(default=None, compare=False)
    tags: Any = field(default=None, compare=False)

    def using(self, **changes: Any) -> Any:
        """Return a task with other values of its fields. A value of None changes nothing."""
        own = {name: value for name in _OWN_FIELDS if (value := changes.pop(name, None)) is not None}
        changed = _Task.using(self, **changes)
        return replace(changed, **own) if own else changed


def options_of_kind(task: Any) -> Options:
    """Return the options of all jobs of a task, from its definition."""
    return options.of_kind({name: value for name, value in _given(task).items() if not _is_time(value)})


def options_of_job(task: Any, definition: Any) -> Options:
    """Return the options of one job: those in which its task differs from the definition.

    Raise `BadSubmission` with the name of a wrong one.
    """
    defined = _given(definition)
    return options.of_job(
        {name: value for name, value in _given(task).items() if value != defined.get(name) or _is_time(value)}
    )


def check_options(task: Any) -> None:
    """Raise `ValueError` with the name of a wrong option."""
    given = _given(task)
    if callable(given.get("backoff")):
        options.of_kind({"backoff": given.pop("backoff")})
    options.of_job(given)


def _is_time(value: Any) -> bool:
    """Return whether this is a deadline as a time, which is one of a job and not of all jobs of a task."""
    return isinstance(value, datetime)


def _given(task: Any) -> dict[str, Any]:
    """Return the options that a task has. One of another class has none."""
    found = {name: getattr(task, name, None) for name in _OPTIONS}
    return {name: value for name, value in found.items() if value is not None}


def copy_of(task: Any, **values: Any) -> Any:
    """Return a copy of the task with these values. They were checked when its job was submitted."""
    copy = object.__new__(type(task))
    for one in fields(task):
        object.__setattr__(copy, one.name, values.get(one.name, getattr(task, one.name)))
    return copy
