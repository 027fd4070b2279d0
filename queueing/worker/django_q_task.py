"""Plain Django-Q2 tasks, as `async_task()` and schedules enqueue them, run beside our jobs.

Functions run in a thread, coroutine functions are awaited. Results, hooks, groups, chains and caching
work as in Django-Q2, through the functions of its monitor.
"""

import asyncio
import inspect
import logging
import pydoc
from concurrent.futures import Executor
from typing import Any

from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.monitor import save_cached, save_task
from django_q.signals import post_execute, post_execute_in_worker, pre_execute
from django_q.signing import BadSignature, SignedPackage

from queueing.record.database_thread import DatabaseThread
from queueing.schedule import redis_client, scripts
from queueing.values import clean_text

from .executor import in_thread
from .outcomes import traceback_of

logger = logging.getLogger(__name__)


async def run_package(task_id: str, threads: Executor, database: DatabaseThread) -> None:
    """Run the package stored under `task_id` and save its result. An error of the task is not raised."""
    client = redis_client.aclient()
    package = await client.hget(scripts.key("packages"), task_id)
    if package is None:
        return
    try:
        task = SignedPackage.loads(package)
    except BadSignature:
        logger.error("a task with a wrong signature was deleted (is SECRET_KEY the same on all hosts?)")
    else:
        await _execute(task, threads)
        await database.run_sync(_save, task)
    await client.hdel(scripts.key("packages"), task_id)


async def _execute(task: dict[str, Any], threads: Executor) -> None:
    """Run the task, and write the outcome into `task` as Django-Q2's worker does."""
    function = task["func"] if callable(task["func"]) else pydoc.locate(task["func"])
    seconds = task.pop("timeout", Conf.TIMEOUT)
    pre_execute.send(sender="django_q", func=function, task=task)
    try:
        if function is None:
            raise ValueError(f"Function {task['func']} is not defined")
        async with asyncio.timeout(seconds if seconds and seconds > 0 else None):
            task["result"] = await _call(function, task, threads)
        task["success"] = True
    except asyncio.CancelledError:
        raise
    except BaseException as exc:  # also `sys.exit`, which would end the worker
        task["result"] = f"{clean_text(exc)} : {traceback_of(exc)}"
        task["success"] = False
        logger.error("task %s failed: %s", task["name"], clean_text(exc))
    task["stopped"] = timezone.now()
    post_execute_in_worker.send(sender="django_q", func=function, task=task)


async def _call(function: Any, task: dict[str, Any], threads: Executor) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(*task["args"], **task["kwargs"])
    return await in_thread(threads, function, *task["args"], **task["kwargs"])


def _save(task: dict[str, Any]) -> None:
    broker = get_broker()
    if task.get("cached", False):
        save_cached(task, broker)
    else:
        save_task(task, broker)
    post_execute.send(sender="django_q", task=task)
