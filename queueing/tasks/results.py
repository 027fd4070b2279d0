"""The `TaskResult` of a job, from its row and its failed attempts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime

from queueing.models import FailedAttempt, Job
from queueing.states import State

from . import errors
from .framework import Framework, default_framework, framework_of
from .names import find_task, path_of, to_task_priority
from .task import copy_of

#: State of a job -> name of the status of its result.
_STATUS = {
    State.WAITING: "READY",
    State.DELAYED: "READY",
    State.ACTIVE: "RUNNING",
    State.COMPLETED: "SUCCESSFUL",
    State.FAILED: "FAILED",
    State.CANCELLED: "FAILED",
}
#: Outcome of an attempt that spent one -> the class of its error, where the task raised none.
_CLASSES = {"failed": errors.JobFailed, "stalled": errors.WorkerDied, "timeout": TimeoutError}


def find_result(result_id: Any) -> Any:
    """Return the result of the job with this id; None when there is none, or it is not one of a task."""
    try:
        job = Job.objects.filter(id=UUID(result_id)).first()
    except (ValueError, TypeError, AttributeError):
        return None
    return result_of(job) if job else None


def result_of(job: Job) -> Any:
    """Return the result of a job; None when it is not one of a task of this code."""
    path = path_of(job.kind)
    if not path or not (task := find_task(path)):
        return None
    framework = framework_of(task)
    attempts = _attempts_of(job)
    starts = _starts(job, attempts)
    return make_result(
        framework,
        task_of(job, task),
        job.args,
        id=job.id.hex,
        status=framework.status[_STATUS[State(job.state)]],
        enqueued_at=job.created_at,
        started_at=starts[0][1] if starts else None,
        last_attempted_at=starts[-1][1] if starts else None,
        finished_at=job.finished_at,
        errors=_errors(framework, job, [a for a in attempts if a.worker in dict(starts)]),
        worker_ids=[token for token, _ in starts],
        value=job.result,
    )


def make_result(
    framework: Framework, task: Any, args: dict[str, Any], *, value: Any = None, **facts: Any
) -> Any:
    """Return a result of the framework with these facts. `args` are those of the job."""
    result = framework.task_result(
        task=task, args=args["args"], kwargs=args["kwargs"], backend=task.backend, **facts
    )
    object.__setattr__(result, "_return_value", value)
    return result


def task_of(job: Job, task: Any) -> Any:
    """Return the task as it was enqueued: with the values of its job."""
    return copy_of(
        task,
        backend=job.args.get("backend", "default"),
        run_after=parse_datetime(job.args.get("run_after", "")),
        priority=to_task_priority(job.priority),
        queue_name=job.queue,
        owner=job.owner,
        share=job.share,
        request_id=job.request_id,
    )


def _attempts_of(job: Job) -> list[FailedAttempt]:
    """Return the failed attempts. A job that does well in its first attempt needs no look."""
    if job.attempts == 0 or (job.attempts == 1 and job.state in (State.ACTIVE, State.COMPLETED)):
        return []
    return list(job.failed_attempts.all())


def _starts(job: Job, attempts: Sequence[FailedAttempt]) -> list[tuple[str, datetime | None]]:
    """Return (token, start) of each attempt that counts, the oldest first: `retry` begins again with none."""
    if job.attempts == 0:
        return []
    starts: list[tuple[str, datetime | None]] = [
        (a.worker, a.started_at) for a in attempts if _counts(a, job)
    ]
    if job.token and all(a.worker != job.token for a in attempts):
        starts.append((job.token, job.started_at))
    return starts[-job.attempts :]


def _counts(attempt: FailedAttempt, job: Job) -> bool:
    """Return whether a failed attempt counts. Of deaths of workers only the one that ended the job does."""
    if attempt.outcome == "stalled":
        return job.state == State.FAILED and attempt.worker == job.token
    return attempt.outcome in _CLASSES


def _errors(framework: Framework, job: Job, attempts: Sequence[FailedAttempt]) -> list[Any]:
    found = [
        framework.task_error(
            exception_class_path=a.exception or _path(_CLASSES[a.outcome]), traceback=a.traceback or a.error
        )
        for a in attempts
        if a.outcome in _CLASSES
    ]
    if job.state == State.CANCELLED:
        found.append(_error(framework, errors.Cancelled, "The job was cancelled."))
    elif job.state == State.FAILED and not found:
        found.append(_error(framework, errors.JobFailed, job.error))
    return found


def _error(framework: Framework, cls: type[BaseException], text: str) -> Any:
    return framework.task_error(exception_class_path=_path(cls), traceback=f"{_path(cls)}: {text}")


def _path(cls: type[BaseException]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def not_found(result_id: Any) -> Exception:
    """Return the exception for an id without result."""
    return default_framework().result_does_not_exist(
        f"There is no result of a task with the id {result_id!r:.80}"
    )
