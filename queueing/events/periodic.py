"""Periodic work of a process for all its sockets at once."""

import asyncio
import logging
from collections.abc import Awaitable, Hashable
from typing import Any, Generic, Self, TypeVar
from weakref import WeakKeyDictionary

logger = logging.getLogger(__name__)

Member = TypeVar("Member", bound=Hashable)

#: Seconds that one socket may delay the others.
_SEND_TIMEOUT = 1.0


class Periodic(Generic[Member]):
    """Run `tick` every `every` seconds while there are members.

    One instance per subclass and event loop. Without members no task runs.
    """

    every = 1.0
    """Seconds between ticks."""
    _instances: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[type, Any]]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self.members: set[Member] = set()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def for_running_loop(cls) -> Self:
        """Return this loop's instance, made on first use."""
        instances = Periodic._instances.setdefault(asyncio.get_running_loop(), {})
        if cls not in instances:
            instances[cls] = cls()
        return instances[cls]

    def add(self, member: Member) -> None:
        """Add a member; start the task with the first one."""
        self.members.add(member)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def discard(self, member: Member) -> None:
        """Remove a member; the task ends with the last one."""
        self.members.discard(member)

    async def tick(self) -> None:
        """Do one round for all members."""
        raise NotImplementedError

    async def _run(self) -> None:
        while self.members:
            await asyncio.sleep(self.every)
            try:
                await self.tick()
            except Exception:
                logger.exception("a round of %s failed; continuing", type(self).__name__)


async def send_safely(sending: Awaitable[Any]) -> None:
    """Await a send to one socket; a socket that is closed or slow must not delay the others."""
    try:
        async with asyncio.timeout(_SEND_TIMEOUT):
            await sending
    except Exception as exc:
        logger.info("sending to a socket failed: %r", exc)
