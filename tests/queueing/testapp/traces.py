"""Plain functions that leave traces: a context variable, a language, a time zone, an open transaction."""

import threading
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction
from django.utils import timezone, translation

from queueing.context import JobContext
from queueing.kinds import Ending, job
from queueing.schedule import redis_client

_person: ContextVar[str] = ContextVar("person", default="no person")


def look() -> dict[str, Any]:
    """Return the traces that this thread has."""
    return {
        "person": _person.get(),
        "language": translation.get_language(),
        "zone": timezone.get_current_timezone_name(),
        "in_transaction": connection.in_atomic_block,
        "thread": threading.get_ident(),
    }


def mark(what: Any) -> None:
    """Leave a mark in Redis. It is in no list of functions that may run."""
    redis_client.client().rpush("note:marked", str(what))


def leave(name: str) -> dict[str, Any]:
    """Leave every trace, and return what was there before."""
    from .models import Written

    before = look()
    _person.set(name)
    translation.activate("de")
    timezone.activate("Asia/Tokyo")
    transaction.atomic().__enter__()
    Written.objects.create(job_id=name, state="left open")
    return before


def leave_at_the_end(ending: Ending) -> None:
    """Leave traces in an end hook."""
    translation.activate("de")
    _person.set(ending.job_id)


def leave_a_transaction_open(ending: Ending) -> None:
    """Leave a transaction open in an end hook."""
    transaction.atomic().__enter__()


def exit_at_the_end(ending: Ending) -> None:
    """End the process in an end hook."""
    raise SystemExit(3)


@job("test.traces", queue="test")
def traces(ctx: JobContext, *, name: str) -> dict[str, Any]:
    """Leave traces in a plain function."""
    return leave(name)


@job("test.hook-traces", queue="test", on_end=leave_at_the_end)
async def hook_traces(ctx: JobContext) -> None:
    """Leave traces in the end hook."""


@job("test.hook-open", queue="test", on_end=leave_a_transaction_open)
async def hook_open(ctx: JobContext) -> None:
    """Leave a transaction open in the end hook."""


@job("test.hook-exit", queue="test", on_end=exit_at_the_end)
async def hook_exit(ctx: JobContext) -> None:
    """End the process in the end hook."""
