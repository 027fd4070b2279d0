"""Tasks that the tests of the backend run in real workers. They note what they did in Redis."""

import asyncio
import time
from typing import Any

from queueing.errors import Permanent, Retry
from queueing.schedule import redis_client

try:
    from django.tasks import default_task_backend, signals, task
except ImportError:
    from django_tasks import default_task_backend, signals, task


def note(key: str, value: Any) -> None:
    """Note something for the test."""
    redis_client.client().rpush(f"note:{key}", value)


@task
def add(*numbers: int, **named: Any) -> Any:
    """Return the sum, and the named arguments."""
    return {"sum": sum(numbers), **named}


@task()
async def double(number: int) -> int:
    """Return twice the number, as a coroutine function."""
    await asyncio.sleep(0)
    return 2 * number


@task(takes_context=True, queue_name="test")
def describe(context: Any, name: str) -> dict[str, Any]:
    """Return what the context says, and fail at first."""
    if context.attempt == 1:
        raise Retry("Once more.")
    context.job.log("second attempt")
    result = context.task_result
    return {
        "name": name,
        "attempt": context.attempt,
        "id": result.id,
        "status": str(result.status),
        "workers": len(result.worker_ids),
        "errors": [error.exception_class_path for error in result.errors],
        "job": context.job.job_id,
    }


@task(takes_context=True)
async def introduce(context: Any) -> list[Any]:
    """Return what the context of the first attempt says."""
    result = context.task_result
    times = result.enqueued_at <= result.started_at == result.last_attempted_at
    return [context.attempt, result.task.queue_name, result.task.priority, result.args, times, result.backend]


class Odd(Exception):
    """An error of the application."""


@task
def fail(how: str) -> Any:
    """Leave in the given way."""
    errors = {
        "error": Odd("odd \0 number"),
        "permanent": Permanent("It cannot work.", code="never"),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
        "base": GeneratorExit(),
        "stop": StopIteration(),
    }
    if how in errors:
        raise errors[how]
    return {"set": {1}, "nan": float("nan"), "large": "x" * 2_000_000, "bytes": b"ok", "tuple": (1, (2,))}[
        how
    ]


@task
async def fail_async(how: str) -> Any:
    """Leave in the given way, as a coroutine function."""
    return fail.func(how)


@task(queue_name="test-narrow")
def hold(key: str) -> None:
    """Note the start, and wait until the test lets it end, or it was stopped for its time."""
    note(key, "started")
    until = time.monotonic() + 30
    while not redis_client.client().exists(f"end:{key}") and time.monotonic() < until:
        time.sleep(0.02)
    note(key, "ended")


@task
async def sleep(key: str, seconds: float) -> str:
    """Note the start, and sleep."""
    await redis_client.aclient().rpush(f"note:{key}", "started")
    await asyncio.sleep(seconds)
    return "slept"


@task(queue_name="test-narrow")
def noted(key: str, value: Any) -> None:
    """Note a value."""
    note(key, value)


@task
def send_twice(value: int) -> str:
    """Enqueue another task, and return the id of its result."""
    return add.enqueue(value, value).id


def patient() -> None:
    """Have options of its own. On Django 6.0 the decorator takes none, so they are given to the class."""


patient = default_task_backend.task_class(
    func=patient,
    priority=0,
    queue_name="default",
    backend="default",
    run_after=None,
    takes_context=False,
    attempts=2,
    backoff=lambda attempt, error: 0.1 * attempt,
)


@task
def watched(how: str) -> str:
    """Fail or not, watched by receivers."""
    if how == "fail":
        raise Odd
    return how


def watch(sender: Any, task_result: Any, signal: Any, **_: Any) -> None:
    """Note the signals of `watched` with what the record says, then fail in the worst way."""
    if task_result.task.name != "watched":
        return
    name = "started" if signal is signals.task_started else "finished"
    recorded = task_result.task.get_result(task_result.id)
    note(f"signals:{task_result.id}", f"{name} {task_result.status} {recorded.status} {sender.__name__}")
    raise SystemExit(1) if task_result.kwargs.get("how") == "exit" else RuntimeError("a receiver")


for one in (signals.task_started, signals.task_finished):
    one.connect(watch)


def not_a_task() -> None:
    """Be a function that no row may name."""
    note("not_a_task", "called")


def _elsewhere() -> None:
    """Be the function of a task with another name."""


renamed = task(_elsewhere)
