"""The backend itself. It is imported with the first task, often before the models, which it imports late."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error
from django.utils import timezone

from queueing.conf import get_conf, is_configured
from queueing.kinds import Family, Kind, register_family

from .framework import default_framework
from .names import FAMILY, MAX_PATH, find_task
from .task import QueueingTask, check_options

_Base: Any = default_framework().base_backend
#: As long as the engine lets a job wait.
_MAX_DELAY = timedelta(days=366)
#: The paths of the tasks that this process has made.
_paths: set[str] = set()


class QueueingBackend(_Base):
    """Runs tasks as jobs of the engine, in queues of `QUEUEING["QUEUES"]`."""

    task_class = QueueingTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def validate_task(self, task: Any) -> None:
        """Raise the framework's `InvalidTask` for a task that the engine could not run."""
        super().validate_task(task)
        if not is_configured(task.queue_name):
            known = ", ".join(get_conf().queues)
            raise _invalid(f"Queue '{task.queue_name}' is not in QUEUEING['QUEUES'] (known: {known}).")
        if len(task.module_path) > MAX_PATH:
            raise _invalid(f"The path of the task has more than {MAX_PATH} characters: {task.module_path}")
        if task.run_after is not None and task.run_after - timezone.now() > _MAX_DELAY:
            raise _invalid("run_after must be within a year.")
        try:
            check_options(task)
        except ValueError as exc:
            raise _invalid(str(exc)) from None
        _paths.add(task.module_path)

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Submit a job for the task, and return its result. Inside a transaction it exists if that commits.

        Raise `InvalidTask`, or what `submit` raises: `BadSubmission`, `Rejected`.
        """
        from .enqueuing import enqueue

        self.validate_task(task)
        return enqueue(self, task, args, kwargs)

    def get_result(self, result_id: str) -> Any:
        """Return the result with this id. Raise `TaskResultDoesNotExist` if there is none of a task."""
        from .results import find_result, not_found

        if result := find_result(result_id):
            return result
        raise not_found(result_id)

    def check(self, **kwargs: Any) -> Iterable[CheckMessage]:
        """Return a message for each queue that the engine does not have, and for options: there are none."""
        yield from super().check(**kwargs)
        for queue in sorted(self.queues):
            if not is_configured(queue):
                message = f"TASKS[{self.alias!r}] has the queue {queue!r}, which is not in QUEUEING['QUEUES']"
                yield Error(message, hint="Add it to one, or remove it from the other.", id="queueing.E009")
        if self.options:
            message = f"TASKS[{self.alias!r}]['OPTIONS'] has {', '.join(map(str, self.options))}"
            yield Error(message, hint="This backend has no options: remove them.", id="queueing.E010")


def _invalid(message: str) -> Exception:
    return default_framework().invalid_task(message)


def _make_kind(path: str) -> Kind | None:
    from .handler import make_kind

    return make_kind(path)


register_family(FAMILY, Family(_make_kind, lambda: filter(find_task, sorted(_paths))))
