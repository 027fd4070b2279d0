"""Submit the job of a task."""

from typing import Any

from django.utils import timezone

from queueing.record.job_spec import JobSpec
from queueing.submit import submit_spec

from .framework import framework_of
from .names import find_task, kind_of, to_job_priority
from .results import make_result, result_of
from .sending import send
from .task import options_of_job


def enqueue(backend: Any, task: Any, args: Any, kwargs: Any) -> Any:
    """Submit a job for the task, send `task_enqueued`, and return its result."""
    framework, path = framework_of(task), task.module_path
    definition = _definition(task, path)
    job_args = _job_args(task, framework.normalize_json(list(args)), framework.normalize_json(dict(kwargs)))
    spec = JobSpec(
        kind=kind_of(path),
        queue=task.queue_name,
        owner=getattr(task, "owner", ""),
        share=getattr(task, "share", ""),
        request_id=getattr(task, "request_id", ""),
        priority=to_job_priority(task.priority),
        delay=_delay(task),
        options=options_of_job(task, definition),
    )
    submission = submit_spec(spec, job_args)
    if not submission.created:  # this request id was submitted before
        return result_of(submission.job)
    result = make_result(
        framework,
        task,
        job_args,
        id=submission.job.id.hex,
        status=framework.status.READY,
        enqueued_at=submission.job.created_at,
        started_at=None,
        last_attempted_at=None,
        finished_at=None,
        errors=[],
        worker_ids=[],
    )
    send("task_enqueued", result)
    return result


def _definition(task: Any, path: str) -> Any:
    """Return the task at the path. Raise `InvalidTask` if workers would not find this one there."""
    found = find_task(path)
    if found is None or found.func is not task.func:
        message = f"The task is not at {path}, where workers look for it. Is it decorated and assigned there?"
        raise framework_of(task).invalid_task(message)
    return found


def _job_args(task: Any, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    job_args: dict[str, Any] = {"args": args, "kwargs": kwargs}
    if task.backend != "default":
        job_args["backend"] = task.backend
    if task.run_after is not None:
        job_args["run_after"] = task.run_after.isoformat()
    return job_args


def _delay(task: Any) -> float:
    if task.run_after is None:
        return 0.0
    return max(0.0, (task.run_after - timezone.now()).total_seconds())
