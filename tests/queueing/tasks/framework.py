"""The tasks framework of this Django: its own, or the backport."""

try:
    from django import tasks as api
    from django.tasks import base, signals
    from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch
except ImportError:
    import django_tasks as api
    from django_tasks import base, signals
    from django_tasks.exceptions import InvalidTaskError as InvalidTask
    from django_tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch

Status = api.TaskResultStatus

__all__ = [
    "InvalidTask",
    "Status",
    "TaskResultDoesNotExist",
    "TaskResultMismatch",
    "api",
    "base",
    "finished",
    "signals",
]


def finished(result):
    """Wait until the task is finished, and return its result as another process would read it."""
    from tests.support.valkey import wait_until

    def end():
        result.refresh()
        return result.is_finished

    wait_until(end, f"task {result.task.name} to finish")
    return api.task_backends[result.backend].get_result(result.id)
