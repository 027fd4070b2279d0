"""Run an action for several items at a time, and finish what has started."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def run_concurrently(items: Iterable[T], action: Callable[[T], Awaitable[None]], *, limit: int) -> None:
    """Await `action` for each item, at most `limit` at a time.

    After an error no further item is started. Those that run are finished, since they are paid for, and then
    the first error is raised. Cancelling stops all of them at once.
    """
    remaining = iter(items)
    errors: list[Exception] = []

    async def work() -> None:
        for item in remaining:
            try:
                await action(item)
            except Exception as exc:
                errors.append(exc)
            if errors:
                return

    await asyncio.gather(*(work() for _ in range(limit)))
    if errors:
        raise errors[0]
