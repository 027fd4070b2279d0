"""Kinds of job: a name, the handler that does it, and the queue it belongs to.

    @job("chat.reply", queue="openai-chat", topic="chat", on_end=save_reply)
    async def reply(ctx: JobContext, *, message_id: str) -> dict[str, object]: ...

Coroutine functions are awaited on the worker's loop; plain functions run in a thread. Arguments and
results are JSON. Modules named `jobs` in installed apps are imported at start, so decorating is enough.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import UnknownKind
from .states import State

Handler = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ended, given to `on_end` inside the transaction that records it."""

    job_id: str
    """The job's id, 32 hex digits."""
    owner: str
    args: dict[str, Any]
    state: State
    """`completed`, `failed` or `cancelled`."""
    result: Any
    """What the handler returned; `None` unless completed."""
    error: str
    """A sentence for the owner; empty unless failed."""
    text: str
    """What `ctx.delta` had streamed in the last attempt, also when the job did not complete."""
    kind: str = ""
    """The job's."""
    code: str = ""
    """The failure's stable word; empty unless failed."""
    waited: float | None = None
    """Seconds the last attempt was in line, and `ran` those it took; None when no attempt brought the end."""
    ran: float | None = None


OnEnd = Callable[[Ending], None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A registered kind of job."""

    name: str
    handler: Handler
    queue: str
    topic: str
    """First word of the job's event names: `chat` makes `chat:queued`, `chat:delta`, …"""
    on_end: OnEnd | None
    is_async: bool


_kinds: dict[str, Kind] = {}


def job(
    name: str, *, queue: str, topic: str = "job", on_end: OnEnd | None = None
) -> Callable[[Handler], Handler]:
    """Register the decorated function as the handler of kind `name` on `queue`.

    `on_end(ending)` runs in the same database transaction as the job's terminal state and only for
    the claim that won, so what it writes happens exactly once, however often the job ran. It must be
    quick and plain (no coroutine). An exception in it rolls the outcome back; the job is then retried.
    """

    def register(handler: Handler) -> Handler:
        known = _kinds.get(name)
        if known and known.handler.__module__ != handler.__module__:
            raise ValueError(f"job kind {name!r} is already {known.handler.__module__}")
        _kinds[name] = Kind(
            name=name,
            handler=handler,
            queue=queue,
            topic=topic,
            on_end=on_end,
            is_async=inspect.iscoroutinefunction(handler),
        )
        return handler

    return register


def get_kind(name: str) -> Kind:
    """The kind registered as `name`; `UnknownKind` names those there are."""
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise UnknownKind("kind", f"{name!r} is not registered (known: {known})") from None


def all_kinds() -> list[Kind]:
    """Every registered kind, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
