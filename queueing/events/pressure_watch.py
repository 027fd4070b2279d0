"""Backpressure, sent to all sockets of a process when a queue's level changes."""

from collections.abc import Awaitable, Callable

from queueing.conf import DJANGO_Q_QUEUE, get_conf
from queueing.limits import backpressure
from queueing.schedule import redis_client, scripts

from . import messages
from .periodic import Periodic, send_safely

Send = Callable[[messages.Event], Awaitable[None]]


class PressureWatch(Periodic[Send]):
    """The sockets of one event loop, each by its `send`."""

    every = 2.0

    def __init__(self) -> None:
        super().__init__()
        self._levels: dict[str, str] = {}

    def current(self) -> list[messages.Event]:
        """Return the events that a new socket needs: one for each queue that is not `normal`."""
        return [_event(q, level) for q, level in self._levels.items() if level != backpressure.NORMAL]

    async def tick(self) -> None:
        """Send the levels that changed."""
        for queue in get_conf().queues.values():
            if queue.name == DJANGO_Q_QUEUE:
                continue
            try:
                counts = await redis_client.arun(scripts.counts(queue.name))
            except redis_client.Unavailable:
                return
            level = backpressure.level(queue, counts.unfinished)
            before = self._levels.get(queue.name, backpressure.NORMAL)
            self._levels[queue.name] = level
            if level != before:
                for send in list(self.members):
                    await send_safely(send(_event(queue.name, level)))


def _event(queue: str, level: str) -> messages.Event:
    return {"type": "queue:pressure", "queue": queue, "level": level}
