"""Child processes that handlers fork: they are no copies of the worker.

A child would inherit the handlers of SIGTERM and SIGINT, and the descriptor that wakes the worker's event
loop for a signal: ending the child would then stop the worker. If the handler's code in the child came back
to the event loop, the child would go on with all jobs of the worker, on its connections.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
import traceback
from collections import deque
from typing import NoReturn

from queueing.worker.stop_signals import STOP_SIGNALS

_mask = threading.local()
_is_child = False
_loop: asyncio.AbstractEventLoop | None = None
#: Exit code of a child that came back to the worker's event loop.
_CAME_BACK = 70


def separate_children(loop: asyncio.AbstractEventLoop) -> None:
    """Separate every process that this one forks from now on. `loop` is the event loop of this worker."""
    global _is_child, _loop
    _is_child, _loop = False, loop
    os.register_at_fork(
        before=_block_signals, after_in_parent=_unblock_signals, after_in_child=_separate_this_process
    )


def _block_signals() -> None:
    """Hold signals back: those of the child, until it has handlers of its own."""
    _mask.value = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def _unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _mask.value)


def _separate_this_process() -> None:
    global _is_child
    _is_child = True
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _unblock_signals()
    if _loop is not None:  # if this is its thread, the next thing that it runs must be the end
        _forget_callbacks(_loop)
        _loop.call_soon(os._exit, _CAME_BACK)


def _forget_callbacks(loop: asyncio.AbstractEventLoop) -> None:
    """Forget what the loop would run next. No loop has a function for this."""
    ready = getattr(loop, "_ready", None)  # asyncio's
    for queue in [ready] if ready is not None else gc.get_referents(loop):  # uvloop hides the attribute
        if isinstance(queue, deque):
            queue.clear()


def exit_if_forked(error: BaseException | None = None) -> None:
    """End a child process whose handler returned, or raised `error`, as Python ends any process."""
    if _is_child:
        _exit(error)


def _exit(error: BaseException | None) -> NoReturn:
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(error)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 0xFF)
