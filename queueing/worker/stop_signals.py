"""The signals of a worker process, and what it does when its supervisor dies."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: The signal after which a cluster or a worker claims no jobs -> whether it is quiet then.
QUIET_SIGNALS = {signal.SIGTSTP: True, signal.SIGCONT: False}
#: Blocked across the fork, until the worker's own handlers are in place.
SIGNALS = (*STOP_SIGNALS, *QUIET_SIGNALS)


def watch(stopping: asyncio.Event, set_quiet: Callable[[bool], None]) -> None:
    """Set `stopping` on SIGTERM. Call `set_quiet` with True on SIGTSTP, and with False on SIGCONT."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C reaches the supervisor, which stops us
    for number, is_quiet in QUIET_SIGNALS.items():
        loop.add_signal_handler(number, set_quiet, is_quiet)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def watch_supervisor(
    pipe: tuple[int, int] | None, stopping: asyncio.Event, on_orphaned: Callable[[], None]
) -> None:
    """Call `on_orphaned` and set `stopping` when the supervisor's end of the pipe closes: it has died."""
    if pipe is None:
        return
    loop = asyncio.get_running_loop()
    read_end, write_end = pipe
    os.close(write_end)

    def on_supervisor_death() -> None:
        loop.remove_reader(read_end)
        logger.error("the supervisor has died; stopping")
        on_orphaned()
        stopping.set()

    loop.add_reader(read_end, on_supervisor_death)
