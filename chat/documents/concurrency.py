"""Several things at a time, no more than so many, and with what was begun brought to its end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def each(items: Iterable[T], do: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Do `do` with each item. Once one fails nothing more is begun: what is under way is finished, since it
    is paid for, and then the first error is raised. Cancelling stops all at once."""
    left = iter(items)
    errors: list[Exception] = []

    async def work() -> None:
        for item in left:
            try:
                await do(item)
            except Exception as exc:
                errors.append(exc)
            if errors:
                return

    await asyncio.gather(*(work() for _ in range(at_once)))
    if errors:
        raise errors[0]
