"""How a task and its values are named in a job: the kind by its path, the priority by ours."""

import logging
from functools import lru_cache
from typing import Any

from django.utils.module_loading import import_string

from .framework import is_task

logger = logging.getLogger(__name__)

#: The first part of the kinds of tasks: `task:shop.tasks.send_receipt`.
FAMILY = "task"
#: The maximum length of a path, so that the name of the kind fits into its column.
MAX_PATH = 100 - len(FAMILY) - 1


def kind_of(path: str) -> str:
    """Return the kind of the jobs of the task with this path."""
    return f"{FAMILY}:{path}"


def path_of(kind: str) -> str:
    """Return the path of the task whose jobs are of this kind; empty for any other kind."""
    family, _, path = kind.partition(":")
    return path if family == FAMILY else ""


def to_job_priority(priority: int) -> int:
    """Return the priority of a job, 1 (first) to 1000, for one of a task, 100 (first) to -100."""
    return 500 - 4 * int(priority)


def to_task_priority(priority: int) -> int:
    """Return the priority of a task for one of its job."""
    return max(-100, min(100, round((500 - priority) / 4)))


def find(path: str) -> Any:
    """Return what is at this path; None when there is nothing, for example in older code."""
    try:
        return _imported(path)
    except ImportError:
        return None
    except Exception:
        logger.exception("%s cannot be imported", path)
        return None


@lru_cache(maxsize=4096)
def _imported(path: str) -> Any:
    return import_string(path)


def find_task(path: str) -> Any:
    """Return the task at this path; None when there is nothing, or something else."""
    found = find(path)
    return found if is_task(found) else None
