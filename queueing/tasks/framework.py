"""The two frameworks with tasks: `django.tasks` of Django 6, and the package `django-tasks`, its backport.

A project may use both: a task of one can be enqueued on the backend of the other. So a task is recognised by
what it has, and its results, signals and exceptions are those of the framework that its class comes from.
"""

import sys
from dataclasses import dataclass, field, make_dataclass
from functools import cache
from importlib import import_module
from typing import Any

from queueing.context import JobContext

_NAMES = ("django.tasks", "django_tasks")


@dataclass(frozen=True, kw_only=True)
class Framework:
    """The classes and functions of one framework."""

    task: Any
    task_result: Any
    task_error: Any
    task_context: Any
    """A subclass with the field `job`."""
    status: Any
    invalid_task: type[Exception]
    result_does_not_exist: type[Exception]
    base_backend: Any
    signals: Any
    normalize_json: Any


@cache
def _load(name: str) -> Framework:
    base, exceptions = import_module(f"{name}.base"), import_module(f"{name}.exceptions")
    json = import_module("django.utils.json" if name == "django.tasks" else f"{name}.utils")
    return Framework(
        task=base.Task,
        task_result=base.TaskResult,
        task_error=base.TaskError,
        task_context=_context_with_job(base.TaskContext),
        status=base.TaskResultStatus,
        invalid_task=getattr(exceptions, "InvalidTask", None) or exceptions.InvalidTaskError,
        result_does_not_exist=exceptions.TaskResultDoesNotExist,
        base_backend=import_module(f"{name}.backends.base").BaseTaskBackend,
        signals=import_module(f"{name}.signals"),
        normalize_json=json.normalize_json,
    )


def _context_with_job(base: Any) -> Any:
    """Return the class of the context of our tasks: the handler's `JobContext` is its `job`."""
    fields = [("job", JobContext, field(kw_only=True, repr=False, compare=False))]
    return make_dataclass("QueueingTaskContext", fields, bases=(base,), frozen=True, slots=True)


@cache
def default_framework() -> Framework:
    """Return Django's own framework where there is one, else the backport."""
    try:
        return _load("django.tasks")
    except ImportError:
        try:
            return _load("django_tasks")
        except ImportError:
            raise ImportError("tasks need Django 6, or: pip install 'django-queueing[tasks]'") from None


def framework_of(task: Any) -> Framework:
    """Return the framework that the class of a task comes from."""
    for cls in type(task).__mro__:
        name = cls.__module__.removesuffix(".base")
        if name in _NAMES:
            return _load(name)
    return default_framework()


def is_task(found: Any) -> bool:
    """Return whether this is a task of one of the frameworks. One that is not imported has made no task."""
    loaded = [sys.modules[f"{name}.base"] for name in _NAMES if f"{name}.base" in sys.modules]
    return isinstance(found, tuple(module.Task for module in loaded))
