"""Plain Django-Q2 tasks, as `async_task()` and schedules enqueue them, run beside our jobs.

Functions run in a thread, coroutine functions are awaited. Results, hooks, groups, chains and caching
work as in Django-Q2, through the functions of its monitor.
"""

import asyncio
import inspect
import logging
import pickle
import pydoc
from concurrent.futures import Executor
from typing import Any

from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.monitor import save_cached, save_task
from django_q.signals import post_execute, post_execute_in_worker, pre_execute
from django_q.signing import SignedPackage

from queueing import texts
from queueing.conf import DJANGO_Q_QUEUE, get_queue
from queueing.record import django_q_tasks
from queueing.record.database_thread import DatabaseThread
from queueing.record.outage import is_outage
from queueing.recovery import suspects
from queueing.schedule import redis_client, scripts
from queueing.values.cleaning import clean_text
from queueing.worker.runs.active_runs import Claim
from queueing.worker.runs.executor import in_thread
from queueing.worker.runs.forks import exit_if_forked
from queueing.worker.runs.job_threads import JobThreads
from queueing.worker.runs.outcomes import traceback_of

logger = logging.getLogger(__name__)


async def run_package(claim: Claim, threads: JobThreads, database: DatabaseThread) -> None:
    """Run the claimed package and save its result. An error of the task is not raised."""
    client, task_id = redis_client.aclient(), claim[0]
    package = await client.hget(scripts.key("packages"), task_id)
    if package is None:
        return
    try:
        task = SignedPackage.loads(package)
    except Exception:  # another SECRET_KEY, or what was pickled is no longer there
        logger.exception("a task that cannot be read was deleted (is SECRET_KEY the same on all hosts?)")
    else:
        if await suspects.deaths_of_task(task_id) > get_queue(DJANGO_Q_QUEUE).max_stalled:
            _end(task, texts.KILLS_WORKERS, success=False)
        elif not django_q_tasks.may_run(task["func"]):
            _end(task, django_q_tasks.NOT_LISTED, success=False)
        else:
            await _execute(task, threads)
        await database.run_sync(_save, task)
        threads.stopped(claim, str(task["func"]))
    await client.hdel(scripts.key("packages"), task_id)
    await suspects.forget_task(task_id)
    await threads.ended(claim)  # a function that runs on after its timeout keeps its slot


async def _execute(task: dict[str, Any], threads: Executor) -> None:
    """Run the task, and write the outcome into `task` as Django-Q2's worker does."""
    function = None
    try:
        function = task["func"] if callable(task["func"]) else pydoc.locate(task["func"])
        seconds = task.pop("timeout", Conf.TIMEOUT)
        pre_execute.send(sender="django_q", func=function, task=task)
        if function is None:
            raise ValueError(f"Function {task['func']} is not defined")
        async with asyncio.timeout(seconds if seconds and seconds > 0 else None):
            result = await _call(function, task, threads)
        pickle.dumps(result)  # as it is stored; Django-Q2 would store nothing of a task whose result is not
        _end(task, result, success=True)
    except (asyncio.CancelledError, GeneratorExit) as exc:
        exit_if_forked(exc)
        raise
    except BaseException as exc:  # also `sys.exit`, which would end the worker
        exit_if_forked(exc)
        if is_outage(exc) and _has_patience(task):
            raise
        _end(task, f"{clean_text(exc)} : {traceback_of(exc)}", success=False)
    exit_if_forked()
    post_execute_in_worker.send_robust(sender="django_q", func=function, task=task)


def _end(task: dict[str, Any], result: Any, *, success: bool) -> None:
    task["result"], task["success"], task["stopped"] = result, success, timezone.now()
    task.setdefault("started", task["stopped"])
    if not success:
        logger.error("task %s failed: %s", task["name"], result)


def _has_patience(task: dict[str, Any]) -> bool:
    """Return whether the task may wait for the database."""
    age = (timezone.now() - task["started"]).total_seconds() if task.get("started") else 0.0
    return bool(age < get_queue(DJANGO_Q_QUEUE).patience)


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
    post_execute.send_robust(sender="django_q", task=task)
