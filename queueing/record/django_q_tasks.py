"""The tasks of Django-Q2: which functions they may run, and what is read of them from the database.

A task names its function by a text, and rows of schedules are written by staff, or by a person with the
database. So only functions of `QUEUEING["TASKS"]` run, as tasks and as hooks, however a row was written.

Django-Q2 keeps arguments and results as unsigned pickles in the database, and reading a pickle can run any
function. They are read as plain values only. The packages in Redis are signed with SECRET_KEY.
"""

import importlib
import io
import logging
import pickle
from base64 import b64decode
from typing import Any

from django.db.models.signals import post_save
from django_q import signals
from django_q.models import Task
from picklefield.fields import PickledObjectField

from queueing.conf import get_conf

logger = logging.getLogger(__name__)

#: The result of a task whose function is not listed.
NOT_LISTED = "This function is not in QUEUEING['TASKS'], so no worker runs it."
#: The classes that a stored value may contain besides texts, numbers, lists and dicts.
_PLAIN = {
    *(("builtins", name) for name in ("set", "frozenset", "complex", "bytearray")),
    *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
    ("decimal", "Decimal"),
    ("uuid", "UUID"),
}


def name_of(function: Any) -> str:
    """Return the dotted name of a function, or of what a task has in its place."""
    if isinstance(function, str):
        return function
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"


def may_run(function: Any) -> bool:
    """Return whether tasks and hooks may call this function, given by itself or by its dotted name."""
    return name_of(function) in get_conf().tasks


def call_hook(*, instance: Task, **_: Any) -> None:
    """Receive `post_save` of a task in place of Django-Q2: call its hook, if the hook is allowed."""
    if not instance.hook:
        return
    if not may_run(instance.hook):
        logger.error(
            "the hook %s of task %s is not in QUEUEING['TASKS']", name_of(instance.hook), instance.name
        )
        return
    try:
        hook = instance.hook
        if isinstance(hook, str):
            module, _dot, name = hook.rpartition(".")
            hook = getattr(importlib.import_module(module), name)
        hook(instance)
    except Exception:
        logger.exception("the hook %s of task %s failed", name_of(instance.hook), instance.name)


def never_in_this_process(*, task: dict[str, Any], **_: Any) -> None:
    """Receive `pre_enqueue` in a cluster: a schedule or a chain with the option `sync` would run here."""
    if "sync" in task:
        task["sync"] = False


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PLAIN:
            raise pickle.UnpicklingError(f"an object of {module}.{name}")
        return super().find_class(module, name)


class PlainPickleField(PickledObjectField):
    """A pickle that is read only if it holds plain values; else a text says what it holds."""

    def from_db_value(self, value: Any, *_: Any) -> Any:
        if value is None:
            return None
        try:
            return _plain(value)
        except Exception as exc:  # a damaged pickle raises anything
            return f"(not readable: {exc})"

    def to_python(self, value: Any) -> Any:
        """Read a fixture, which has the stored text; other values stay as they are."""
        try:
            return _plain(value)
        except Exception:
            return value

    def deconstruct(self) -> Any:
        """Return the field that Django-Q2's migrations know."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "picklefield.fields.PickledObjectField", args, kwargs


def _plain(stored: str) -> Any:
    return _PlainUnpickler(io.BytesIO(b64decode(stored))).load()


def install() -> None:
    """Replace how Django-Q2 calls hooks and reads pickles, in this process."""
    post_save.disconnect(signals.call_hook, sender=Task)
    post_save.connect(call_hook, sender=Task)
    for name in ("args", "kwargs", "result"):
        Task._meta.get_field(name).__class__ = PlainPickleField
