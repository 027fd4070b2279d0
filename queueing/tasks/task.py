"""The class of our tasks: those of the framework, and what a job has besides."""

from dataclasses import dataclass, fields, replace
from typing import Any

from .framework import default_framework

_Task: Any = default_framework().task
#: The names of the fields that only our tasks have.
OWN_FIELDS = ("owner", "share", "request_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueingTask(_Task):
    """A task whose jobs have an owner, with whom others take turns, and a request id."""

    owner: str = ""
    share: str = ""
    request_id: str = ""

    def using(self, **changes: Any) -> Any:
        """Return a task with other values: those of the framework, `owner`, `share`, `request_id`."""
        own = {name: value for name in OWN_FIELDS if (value := changes.pop(name, None)) is not None}
        changed = _Task.using(self, **changes)
        return replace(changed, **own) if own else changed


def copy_of(task: Any, **values: Any) -> Any:
    """Return a copy of the task with these values. They were checked when its job was submitted."""
    copy = object.__new__(type(task))
    for field in fields(task):
        object.__setattr__(copy, field.name, values.get(field.name, getattr(task, field.name)))
    return copy
