"""The signals of tasks: `task_enqueued`, `task_started`, `task_finished`.

A receiver that raises is logged, and changes nothing. `task_finished` is sent after the commit that records
the end, by a thread of the process that recorded it: a slow receiver must not delay the end of other jobs.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

from django.db import transaction

from queueing.kinds import Ending
from queueing.record.database_thread import tidily

from .framework import framework_of
from .results import find_result

logger = logging.getLogger(__name__)

#: The threads that send `task_finished`.
_THREADS = 4


def send(name: str, result: Any) -> None:
    """Send a signal of the framework of the result's task. An error of a receiver is logged."""
    signal = getattr(framework_of(result.task).signals, name)
    try:
        signal.send_robust(sender=type(result.task.get_backend()), task_result=result)
    except Exception:
        logger.exception("%s of task %s was not sent", name, result.id)


def send_from_worker(name: str, result: Any) -> None:
    """Send a signal in a worker, where a receiver must not end the process either."""
    try:
        send(name, result)
    except BaseException:
        logger.exception("a receiver of %s tried to end the process", name)


def announce_end(ending: Ending) -> None:
    """Send `task_finished` when the transaction that records the end has committed. It is an `on_end`."""
    transaction.on_commit(partial(_pool().submit, tidily, _send_finished, ending.job_id), robust=True)


def _send_finished(job_id: str) -> None:
    try:
        result = find_result(job_id)
        if result and result.is_finished:  # it may be deleted, or run again
            send_from_worker("task_finished", result)
    except Exception:
        logger.exception("task_finished of task %s was not sent", job_id)


@cache
def _pool() -> ThreadPoolExecutor:
    """Return the threads. The end of a process waits for what they have to send."""
    return ThreadPoolExecutor(_THREADS, "task-signals")
