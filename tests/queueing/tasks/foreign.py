"""Tasks of the backport on a Django that has the framework itself."""

import importlib
from typing import Any

import django

#: The backport; None where it is all there is.
api: Any = importlib.import_module("django_tasks") if django.VERSION >= (6, 0) else None


def greet(name):
    """Return a greeting."""
    return f"Hello {name}"


def _elsewhere():
    """Be the function of a task with another name."""


if api:
    base: Any = importlib.import_module("django_tasks.base")
    InvalidTask: Any = importlib.import_module("django_tasks.exceptions").InvalidTaskError
    greet = base.Task(func=greet)
    renamed = base.Task(func=_elsewhere)
