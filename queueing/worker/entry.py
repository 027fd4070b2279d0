"""The entry of a worker process: it runs the event loop, and ends the process."""

import asyncio
import faulthandler
import gc
import logging
from collections.abc import Callable

from .liveness.identity import Identity
from .process import Worker
from .runs.forks import separate_children

new_event_loop: Callable[[], asyncio.AbstractEventLoop]
"""Makes the loop: one of uvloop if that is installed, with which a short job takes less processor time."""
try:
    from uvloop import new_event_loop
except ImportError:  # there is none for this platform, or it is not installed
    from asyncio import new_event_loop

logger = logging.getLogger(__name__)

#: Seconds that tasks, threads and child processes of handlers may delay the end of the process.
_EXIT_TIMEOUT = 3.0


def main(identity: Identity) -> None:
    """Run a worker until it has stopped.

    `SystemExit` and `KeyboardInterrupt` end an event loop, also when a task or a callback of a handler
    raises them. The loop is then continued: only the worker ends itself.
    """
    gc.set_threshold(20_000, 10, 10)  # a job is a dozen short-lived objects: collect less often
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        loop = runner.get_loop()
        separate_children(loop)
        running = loop.create_task(Worker(identity).run())
        while not running.done():
            try:
                loop.run_until_complete(running)
            except (SystemExit, KeyboardInterrupt):
                if running.done():
                    raise
                logger.exception("a task or a callback of a handler tried to end the process; continuing")
            finally:
                # All is recorded or given back: what a handler left behind must not hold the process.
                if running.done():
                    faulthandler.dump_traceback_later(_EXIT_TIMEOUT, exit=True)
