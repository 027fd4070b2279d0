"""Kinds of job: a name, its handler, and the queue it belongs to.

    @job("chat.reply", queue="openai-chat", topic="chat", on_end=save_reply)
    async def reply(ctx: JobContext, *, reply_id: str) -> dict[str, str]:
        ctx.delta("Hello!")
        return {"response": ctx.text}

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
    """The end of a job, given to `on_end` inside the transaction that records it."""

    job_id: str
    """32 hex digits."""
    owner: str
    args: dict[str, Any]
    state: State
    """`completed`, `failed` or `cancelled`."""
    result: Any
    """The handler's return value; None unless completed."""
    error: str
    """A sentence for the owner; empty unless failed."""
    text: str
    """The text that `ctx.delta` streamed in the last attempt, also when the job did not complete."""
    kind: str = ""
    code: str = ""
    """A stable word for the failure; empty unless failed."""
    waited: float | None = None
    """Seconds that the last attempt waited in line; None when the job did not end with an attempt."""
    ran: float | None = None
    """Seconds that the last attempt took; None when the job did not end with an attempt."""


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

    `on_end(ending)` runs in the database transaction that records the job's terminal state, and only for
    the run whose outcome was recorded: what it writes is written exactly once, however often the job ran.
    It must be quick and synchronous. An exception in it rolls the outcome back; the job is then retried.
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
    """Return the kind registered as `name`. Raise `UnknownKind`, which lists the registered kinds."""
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise UnknownKind("kind", f"{name!r} is not registered (known: {known})") from None


def all_kinds() -> list[Kind]:
    """Return all registered kinds, ordered by name."""
    return [_kinds[name] for name in sorted(_kinds)]
