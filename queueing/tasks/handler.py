"""The handler of the jobs of tasks, and the kinds that have it: one for each path."""

from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from django.utils.dateparse import parse_datetime

from queueing.context import JobContext
from queueing.kinds import Kind
from queueing.models import Job
from queueing.options import NO_OPTIONS
from queueing.record.database_thread import in_thread

from .errors import NotATask
from .framework import framework_of, is_task
from .names import find, kind_of, to_task_priority
from .results import make_result, result_of
from .sending import announce_end, send_from_worker
from .task import copy_of, options_of_kind

#: Path -> kind.
_kinds: dict[str, Kind] = {}


def make_kind(path: str) -> Kind | None:
    """Return the kind of the task at this path; None when there is nothing, as in older code.

    What is there but is not a task is refused when the job runs: a row must not name a function.
    """
    if path not in _kinds and (found := find(path)) is not None:
        _kinds[path] = _kind_for(path, found)
    return _kinds.get(path)


def _kind_for(path: str, task: Any) -> Kind:
    if not is_task(task):
        return _kind(path, partial(_refuse, path), queue="", is_async=False, options=NO_OPTIONS)
    is_async = iscoroutinefunction(task.func)
    handler = partial(_run_coroutine if is_async else _run_function, task)
    options = options_of_kind(task)
    return _kind(path, handler, queue=task.queue_name, is_async=is_async, options=options)


def _kind(path: str, handler: Any, **fields: Any) -> Kind:
    return Kind(name=kind_of(path), handler=handler, topic="task", on_end=announce_end, **fields)


def _refuse(path: str, ctx: JobContext, **args: Any) -> None:
    raise NotATask(f"{path} is not a task.", code="not_a_task")


async def _run_coroutine(
    task: Any,
    ctx: JobContext,
    *,
    args: list[Any],
    kwargs: dict[str, Any],
    backend: str = "default",
    run_after: str = "",
) -> Any:
    job_args = {"args": args, "kwargs": kwargs, "backend": backend, "run_after": run_after}
    first = await in_thread(_begin)(task, ctx, job_args)
    return _as_json(task, await task.func(*first, *args, **kwargs))


def _run_function(
    task: Any,
    ctx: JobContext,
    *,
    args: list[Any],
    kwargs: dict[str, Any],
    backend: str = "default",
    run_after: str = "",
) -> Any:
    job_args = {"args": args, "kwargs": kwargs, "backend": backend, "run_after": run_after}
    first = _begin(task, ctx, job_args)
    return _as_json(task, task.func(*first, *args, **kwargs))


def _begin(task: Any, ctx: JobContext, job_args: dict[str, Any]) -> tuple[Any, ...]:
    """Send `task_started`, and return the arguments that come before those of the caller: the context."""
    result = _running_result(task, ctx, job_args)
    send_from_worker("task_started", result)
    return (framework_of(task).task_context(task_result=result, job=ctx),) if task.takes_context else ()


def _running_result(task: Any, ctx: JobContext, job_args: dict[str, Any]) -> Any:
    """Return the result as it is now. Only later attempts read it from the record."""
    if ctx.attempt > 1 and (job := Job.objects.filter(id=ctx.job_id).first()) and (known := result_of(job)):
        return known
    framework = framework_of(task)
    now = copy_of(
        task,
        backend=job_args["backend"],
        run_after=parse_datetime(job_args["run_after"]),
        queue_name=ctx.queue,
        priority=to_task_priority(ctx.priority),
        owner=ctx.owner,
        request_id=ctx.request_id,
    )
    return make_result(
        framework,
        now,
        job_args,
        id=ctx.job_id,
        status=framework.status.RUNNING,
        enqueued_at=ctx.submitted_at,
        started_at=ctx.started_at,
        last_attempted_at=ctx.started_at,
        finished_at=None,
        errors=[],
        worker_ids=[ctx.token],
    )


def _as_json(task: Any, value: Any) -> Any:
    """Return the value as the framework stores it; as it is, if it is not JSON: the worker fails the job."""
    try:
        return framework_of(task).normalize_json(value)
    except (TypeError, ValueError, RecursionError):
        return value
