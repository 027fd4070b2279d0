"""Tasks that a worker starts and does not wait for."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Keeps started tasks from the garbage collector until they are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
