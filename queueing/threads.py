"""The worker's one database thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """Runs the record's synchronous functions one after the other on one connection."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="record")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(*args)` on the thread. A connection that an error has spoilt is not used again."""

        def guarded() -> T:
            try:
                return function(*args, **kwargs)
            except Exception:
                connection.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._executor, guarded)

    async def refresh(self) -> None:
        """Drop the connection if it is too old or has gone."""
        await asyncio.get_running_loop().run_in_executor(self._executor, close_old_connections)

    def close(self) -> None:
        """End the thread once it has nothing left to do."""
        self._executor.submit(connection.close)
        self._executor.shutdown(wait=True)
