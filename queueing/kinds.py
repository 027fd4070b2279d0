"""Kinds of job: a name, its handler, and the queue it belongs to.

    @job("chat.reply", queue="openai-chat", topic="chat", on_end=save_reply)
    async def reply(ctx: JobContext, *, reply_id: str) -> dict[str, str]:
        ctx.delta("Hello!")
        return {"response": ctx.text}

Coroutine functions are awaited on the worker's loop; plain functions run in a thread. Arguments and
results are JSON. Modules named `jobs` in installed apps are imported at start, so decorating is enough.

During a deploy, processes with older and newer code run at the same time. `version` and `aliases` say which
jobs of other processes this code can do. Workers give all others back (`why_unable`).
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Unpack

from . import options as job_options
from .errors import UnknownKind
from .options import NO_OPTIONS, GivenOptions, Options
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
    """The text that `ctx.delta` streamed in the last run, also when the job did not complete; then, if that
    run had none, in the last run that had some."""
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
    version: int = 1
    """The version of the arguments. This code can do jobs of this version and of older ones."""
    options: Options = NO_OPTIONS
    """What its jobs have in place of the settings of the queue."""

    def refusal(self, names: tuple[str, ...]) -> str:
        """Return why the handler cannot be called with arguments of these names, or an empty text."""
        return _refusal(self.handler, names)


@dataclass(frozen=True)
class Family:
    """Kinds that are made at their first use. Their names are that of the family, a colon and a text."""

    make: Callable[[str], Kind | None]
    """Returns the kind for such a text, always the same; None when this process does not know it."""
    texts: Callable[[], Iterable[str]]
    """Returns the texts that are known so far."""


@lru_cache(maxsize=1024)
def _refusal(handler: Handler, names: tuple[str, ...]) -> str:
    try:
        # A wrapper is called with its own signature, not with that of the function that it wraps.
        signature = inspect.signature(handler, follow_wrapped=False)
    except (TypeError, ValueError):
        return ""  # some callables of C have no signature: calling them tells
    try:
        signature.bind(None, **dict.fromkeys(names))
    except TypeError as exc:
        return str(exc)
    return ""


#: Name or alias -> kind.
_kinds: dict[str, Kind] = {}
#: Name -> family.
_families: dict[str, Family] = {}
#: The length of `Job.kind`, and the maximum of `Job.kind_version`.
_MAX_NAME, _MAX_VERSION = 100, 32_767


def job(
    name: str,
    *,
    queue: str,
    topic: str = "job",
    on_end: OnEnd | None = None,
    version: int = 1,
    aliases: tuple[str, ...] = (),
    **options: Unpack[GivenOptions],
) -> Callable[[Handler], Handler]:
    """Register the decorated function as the handler of kind `name` on `queue`.

    `on_end(ending)` runs in the database transaction that records the job's terminal state, and only for
    the run whose outcome was recorded: what it writes is written exactly once, however often the job ran.
    It must be quick and synchronous. An exception in it rolls the outcome back; the job is then retried.

    Raise `version` when older code could not do the new jobs; the handler reads the version of a job from
    `ctx.version`. `aliases` are earlier names of the kind. `options` are `attempts`, `timeout`, `backoff`,
    `expires`, `limits` and `tags` (options.py), in place of the settings of the queue. Raise `ValueError` for
    a wrong value, and for a name that has a handler already.
    """
    _check_registration((name, *aliases), topic, on_end, version)
    try:
        checked = job_options.of_kind(options)
    except ValueError as exc:
        raise ValueError(f"job kind {name!r}: {exc}") from None

    def register(handler: Handler) -> Handler:
        kind = Kind(
            name=name,
            handler=handler,
            queue=queue,
            topic=topic,
            on_end=on_end,
            is_async=inspect.iscoroutinefunction(handler),
            version=version,
            options=checked,
        )
        for one in (name, *aliases):
            if known := _kinds.get(one):
                raise ValueError(
                    f"job kind {one!r} has two handlers: {_place(known.handler)} and {_place(handler)}"
                )
        _kinds.update(dict.fromkeys((name, *aliases), kind))
        return handler

    return register


def _check_registration(names: tuple[str, ...], topic: str, on_end: OnEnd | None, version: int) -> None:
    for name in names:
        if not isinstance(name, str) or not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
            raise ValueError(f"job kind {name!r}: use a name of 1 to {_MAX_NAME} printable characters")
    if not isinstance(topic, str) or not topic.isprintable() or not topic or ":" in topic:
        raise ValueError(f"job kind {names[0]!r}: the topic {topic!r} is not a word without a colon")
    if inspect.iscoroutinefunction(on_end):
        raise ValueError(f"job kind {names[0]!r}: on_end must not be a coroutine function")
    if type(version) is not int or not 1 <= version <= _MAX_VERSION:
        raise ValueError(
            f"job kind {names[0]!r}: version {version!r} is not a number from 1 to {_MAX_VERSION}"
        )


def _place(handler: Handler) -> str:
    return f"{handler.__module__}.{getattr(handler, '__qualname__', handler)}"


def register_family(name: str, family: Family) -> None:
    """Register a family, such as `task` for kinds with names such as `task:shop.tasks.send`."""
    _families[name] = family


def find_kind(name: str) -> Kind | None:
    """Return the kind with this name or alias; None when this process does not know it."""
    return _kinds.get(name) or _of_family(name)


def _of_family(name: str) -> Kind | None:
    prefix, colon, text = name.partition(":")
    family = _families.get(prefix) if colon else None
    return family.make(text) if family else None


def get_kind(name: str) -> Kind:
    """Return the kind with this name or alias. Raise `UnknownKind`, which lists the registered kinds."""
    if isinstance(name, str) and (kind := find_kind(name)):
        return kind
    known = ", ".join(sorted(_kinds)) or "none"
    raise UnknownKind("kind", f"{name!r} is not registered (known: {known})")


def why_unable(name: str, version: int, arguments: tuple[str, ...]) -> str:
    """Return why this process cannot do such a job, as a stable word; an empty text if it can.

    `arguments` are the names of the job's arguments.
    """
    kind = find_kind(name)
    if kind is None:
        return "unknown_kind"
    if version > kind.version:
        return "newer_version"
    return "other_arguments" if kind.refusal(arguments) else ""


def topic_of(name: str) -> str:
    """Return the topic of a kind. A kind that only newer code knows has the default topic."""
    kind = find_kind(name)
    return kind.topic if kind else "job"


def all_kinds() -> list[Kind]:
    """Return all kinds that are registered, or known of a family, ordered by name."""
    found = {name: kind for name, kind in _kinds.items() if name == kind.name}
    for family in _families.values():
        found |= {kind.name: kind for text in family.texts() if (kind := family.make(text))}
    return [kind for _, kind in sorted(found.items())]


def known_names() -> list[str]:
    """Return the names and aliases of all these kinds."""
    return sorted({*_kinds, *(kind.name for kind in all_kinds())})
