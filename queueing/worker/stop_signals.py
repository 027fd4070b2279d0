"""What stops a worker process: signals, and the death of its supervisor."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable

logger = logging.getLogger(__name__)

#: Blocked across the fork, until the worker's own handlers are in place.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def watch(
    stopping: asyncio.Event, supervisor_pipe: tuple[int, int] | None, on_orphaned: Callable[[], None]
) -> None:
    """Set `stopping` on SIGTERM, and when the supervisor dies: then `on_orphaned` is called."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C reaches the supervisor, which stops us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if supervisor_pipe is None:
        return
    read_end, write_end = supervisor_pipe
    os.close(write_end)

    def on_supervisor_death() -> None:
        loop.remove_reader(read_end)
        logger.error("the supervisor has died; stopping")
        on_orphaned()
        stopping.set()

    loop.add_reader(read_end, on_supervisor_death)
