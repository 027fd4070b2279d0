"""What a process does every now and then for all its sockets at once."""

import asyncio
import logging
from collections.abc import Awaitable, Hashable
from typing import Any, Generic, Self, TypeVar
from weakref import WeakKeyDictionary

logger = logging.getLogger(__name__)

Member = TypeVar("Member", bound=Hashable)

#: Seconds one socket may hold up the others.
_PATIENCE = 1.0


class Periodic(Generic[Member]):
    """One of each subclass a loop; it looks while it has members, and costs nothing without."""

    every = 1.0
    """Seconds between looks."""
    _here: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[type, Any]]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self.members: set[Member] = set()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def here(cls) -> Self:
        """The running loop's."""
        all_here = Periodic._here.setdefault(asyncio.get_running_loop(), {})
        if cls not in all_here:
            all_here[cls] = cls()
        return all_here[cls]

    def add(self, member: Member) -> None:
        """Look after `member` from now on."""
        self.members.add(member)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tick())

    def discard(self, member: Member) -> None:
        """Look after it no longer."""
        self.members.discard(member)

    async def look(self) -> None:
        """What there is to do."""
        raise NotImplementedError

    async def _tick(self) -> None:
        while self.members:
            await asyncio.sleep(self.every)
            try:
                await self.look()
            except Exception:
                logger.exception("%s failed; going on", type(self).__name__)


async def safely(telling: Awaitable[Any]) -> None:
    """Tell one socket something. One that is gone, or slow, does not keep the others from hearing theirs."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await telling
    except Exception as exc:
        logger.info("a socket could not be told: %r", exc)
