"""Handlers that fork."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from queueing.context import JobContext
from queueing.kinds import job

_FORK = multiprocessing.get_context("fork")


def square(n: int) -> int:
    """Work in a child process."""
    return n * n


@job("test.pool", queue="test")
def pool(ctx: JobContext) -> list[int]:
    """Use a pool of processes, which ends them by SIGTERM."""
    with _FORK.Pool(2) as processes:
        return processes.map(square, [1, 2, 3])


@job("test.executor", queue="test")
async def executor(ctx: JobContext) -> list[int]:
    """Use an executor of processes from a coroutine."""
    with ProcessPoolExecutor(2, mp_context=_FORK) as processes:
        loop = asyncio.get_running_loop()
        return list(await asyncio.gather(*(loop.run_in_executor(processes, square, n) for n in (1, 2, 3))))


@job("test.terminated", queue="test")
def terminated(ctx: JobContext) -> list[Any]:
    """End children by SIGTERM, and return their exit codes."""
    child = _FORK.Process(target=time.sleep, args=(600,))
    child.start()
    child.terminate()
    child.join()
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    program.terminate()
    return [child.exitcode, program.wait()]


def _child(way: str) -> None:
    if way == "exit":
        sys.exit(3)
    if way == "raise":
        raise ValueError("in the child")
    if way == "kill":
        signal.raise_signal(signal.SIGTERM)


@job("test.fork", queue="test")
def fork(ctx: JobContext, *, way: str) -> int | None:
    """Fork in a plain function, and return the exit code of the child."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _child(way)
    return None


@job("test.fork-async", queue="test")
async def fork_async(ctx: JobContext, *, way: str) -> int | None:
    """Fork in a coroutine function."""
    if child := os.fork():
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            await asyncio.sleep(0.01)
        return os.waitstatus_to_exitcode(ended[1])
    if way == "wait":
        await asyncio.sleep(0)  # to the event loop
    _child(way)
    return None


@job("test.leave-child-process", queue="test")
def leave_child_process(ctx: JobContext) -> int:
    """Leave a child process behind that does not end."""
    child = _FORK.Process(target=time.sleep, args=(600,))
    child.start()
    assert child.pid
    return child.pid
