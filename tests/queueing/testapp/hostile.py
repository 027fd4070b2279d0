"""Handlers that end in every way that Python has, and results that no store accepts."""

import asyncio
import datetime
import decimal
import sys
from collections.abc import Callable
from typing import Any

from queueing.context import JobContext
from queueing.errors import JobError, Retry
from queueing.kinds import job


class LibraryExit(BaseException):
    """What libraries raise to get through `except Exception`."""


class Unspeakable(Exception):
    """An exception whose texts cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class HalfMade(JobError):
    """An error of a handler that lacks the fields of one."""

    def __init__(self) -> None:
        """Leave the fields unset."""


class ErrorWithANameThatIsFarTooLongForTheColumnInWhichTheEngineKeepsTheCodesOfErrorsBecauseNamesHaveNoLimit(
    Exception
):
    """A long name."""


def _raise(exc: BaseException) -> Callable[[], Any]:
    def go() -> Any:
        raise exc

    return go


#: Way -> what raises. Each way is tried in a coroutine function and in a plain function.
WAYS: dict[str, Callable[[], Any]] = {
    "GeneratorExit": _raise(GeneratorExit()),
    "BaseException": _raise(LibraryExit("out")),
    "BaseExceptionGroup": _raise(BaseExceptionGroup("both", [LibraryExit("out"), ValueError("no")])),
    "CancelledError": _raise(asyncio.CancelledError()),
    "StopIteration": _raise(StopIteration(1)),
    "StopAsyncIteration": _raise(StopAsyncIteration()),
    "KeyboardInterrupt": _raise(KeyboardInterrupt()),
    "SystemExit": lambda: sys.exit("bye"),
    "Unspeakable": _raise(Unspeakable()),
    "HalfMade": _raise(HalfMade()),
    "long name": _raise(
        ErrorWithANameThatIsFarTooLongForTheColumnInWhichTheEngineKeepsTheCodesOfErrorsBecauseNamesHaveNoLimit()
    ),
    "NUL": _raise(Retry("a\0b \ud800", code="\0" * 100, after=float("nan"))),
    "endless wait": _raise(Retry("later", after=float("inf"))),
    "RecursionError": lambda: _raise_deep(),
}


def _raise_deep() -> None:
    error: Exception = ValueError("deep")
    for _ in range(5000):
        error = ExceptionGroup("deeper", [error])
    raise error


@job("test.leave", queue="test", topic="test")
async def leave(ctx: JobContext, *, way: str) -> None:
    """Leave a coroutine function."""
    WAYS[way]()


@job("test.leave-plain", queue="test", topic="test")
def leave_plain(ctx: JobContext, *, way: str) -> None:
    """Leave a plain function."""
    WAYS[way]()


@job("test.leave-child", queue="test", topic="test")
async def leave_child(ctx: JobContext, *, way: str) -> None:
    """Leave a task that the handler has started."""

    async def child() -> None:
        WAYS[way]()

    await asyncio.create_task(child())


@job("test.leave-callback", queue="test")
async def leave_callback(ctx: JobContext) -> None:
    """End the process from a callback of the event loop."""
    asyncio.get_running_loop().call_soon(sys.exit)
    await asyncio.sleep(0.1)


@job("test.swallow", queue="test-narrow")
async def swallow(ctx: JobContext) -> None:
    """Ignore every cancellation."""
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            continue


@job("test.endless", queue="test-narrow")
def endless(ctx: JobContext) -> Any:
    """Return an awaitable that never ends."""
    return asyncio.Event().wait()


@job("test.cancelled-inside", queue="test")
async def cancelled_inside(ctx: JobContext) -> None:
    """Cancel the own task, as an inner timeout that went wrong does."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(600)


#: Way -> a result.
RESULTS: dict[str, Any] = {
    "large number": {"n": 2**70},
    "NaN": {"n": float("nan")},
    "set": {"n": {1}},
    "datetime": {"n": datetime.datetime(2026, 1, 1)},
    "Decimal": decimal.Decimal("1.5"),
    "bytes": b"bytes",
    "object": object(),
    "tuple key": {(1, 2): 3},
    "size": {"text": "x" * 2**21},
    "half a pair": {"response": "\ud800"},
    "NUL": {"response": "a\0b"},
    "tuple": {"n": (1, 2)},
    "number as key": {1: "one"},
}


@job("test.result", queue="test", topic="test")
async def result(ctx: JobContext, *, way: str) -> Any:
    """Return the result."""
    return RESULTS[way]


def leave_with_a_base_exception() -> None:
    """Leave a task of Django-Q2."""
    raise LibraryExit("out")
