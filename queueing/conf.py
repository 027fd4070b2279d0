"""The engine's settings: `settings.QUEUEING`, typed, read lazily, with environment overrides.

A queue `openai-chat` listens to QUEUE_OPENAI_CHAT_<NAME>; `OVERRIDES` lists the names. Wrong values
raise `ImproperlyConfigured` with the variable's name; `checks.py` turns that into a system check.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

#: Where plain `async_task()` calls and Django-Q2 schedules wait; defined unless the settings do.
DJANGO_Q_QUEUE = "django-q"


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How long a failed attempt waits; the formula is in backoff.py."""

    type: str = "none"
    """`none`, `fixed` or `exponential`."""
    delay: float = 0.0
    """Seconds before the first retry."""
    jitter: float = 0.0
    """0 to 1: the share of the wait that is drawn at random."""
    max_delay: float = 3600.0
    """Seconds no wait exceeds."""


@dataclass(frozen=True)
class Limiter:
    """At most `max` starts in any `duration` seconds, over all workers."""

    max: int
    duration: float


@dataclass(frozen=True, kw_only=True)
class QueueDef:
    """One queue. Names and meanings are Bull's wherever Bull has them."""

    name: str
    priority: int = 5
    """1 is served first where workers have fewer free slots than work."""
    concurrency: int = 1
    """Jobs at once per cluster (one `manage.py qcluster`)."""
    global_concurrency: int = 0
    """Jobs at once over all clusters; 0 is no cap."""
    attempts: int = 1
    """Tries in all."""
    backoff: Backoff = field(default_factory=Backoff)
    limiter: Limiter | None = None
    timeout: float = 300.0
    """Seconds an attempt may take."""
    keep: tuple[int, int] = (100, 50)
    """Completed and failed jobs listed in Redis and on the dashboard."""
    soft_limit: int = 500
    """Unfinished jobs from which the queue is `throttled`: an owner may then hold `throttled_owner`."""
    hard_limit: int = 2000
    """Unfinished jobs from which the queue is `full`."""
    owner_limit: int = 50
    """Unfinished jobs an owner may hold; 0 is no cap."""
    throttled_owner: int = 2
    """Unfinished jobs an owner may hold while the queue is throttled."""
    owner_concurrency: int = 0
    """Active jobs an owner may have; 0 is no cap."""
    max_stalled: int = 2
    """Times a job may lose its worker before it fails."""
    provider: str = ""
    """Queues that name the same provider cool down together."""
    patience: float = 900.0
    """Seconds after submission until which a provider's cooldown is waited out."""


@dataclass(frozen=True, kw_only=True)
class EngineConf:
    """Everything the engine reads from settings."""

    queues: Mapping[str, QueueDef]
    redis_url: str
    prefix: str = "queueing"
    """First part of every Redis key; inside a hash tag, so that Redis Cluster keeps them together."""
    lease: float = 11.0
    """Seconds a claim lasts unless renewed: how long a dead worker can go unnoticed."""
    heartbeat: float = 3.0
    """Seconds between renewals."""
    grace: float = 20.0
    """Seconds running jobs get to finish when the worker is asked to stop."""
    slots: int = 0
    """Jobs a worker process holds at once; 0 is the sum of the queues' concurrency."""
    ageing: float = 30.0
    """Seconds of waiting that lift a queue's next job by one level of priority."""
    max_payload: int = 65536
    """Bytes of JSON that a job's arguments may take."""
    keep_days: float = 30.0
    """Days that finished jobs' rows are kept."""
    recycle: int = 0
    """Jobs after which a worker process is replaced; 0 is never."""
    preload: tuple[str, ...] = ()
    """Modules that a cluster imports before it forks its workers: shared by them, and there at once."""
    version: str = ""
    """What the workers say they run, for operators who look at a deploy."""


def _limiter(value: str) -> tuple[int, float]:
    most, _, seconds = value.partition("/")
    return int(most), float(seconds)


#: Environment name -> how its text becomes the field's value.
ENVIRONMENT_OVERRIDES: dict[str, Callable[[str], Any]] = {
    "priority": int,
    "concurrency": int,
    "global_concurrency": int,
    "attempts": int,
    "timeout": float,
    "soft_limit": int,
    "hard_limit": int,
    "owner_limit": int,
    "owner_concurrency": int,
    "max_stalled": int,
    "backoff_delay": float,
    "limiter": _limiter,
}


@cache
def get_conf() -> EngineConf:
    """The settings, read once; tests that override `QUEUEING` get a fresh reading."""
    given: dict[str, Any] = dict(getattr(settings, "QUEUEING", {}))
    queues = {name: _queue(name, dict(spec)) for name, spec in given.pop("QUEUES", {}).items()}
    queues.setdefault(
        DJANGO_Q_QUEUE, _queue(DJANGO_Q_QUEUE, {"priority": 5, "concurrency": 4, "owner_limit": 0})
    )
    known = {f.name for f in fields(EngineConf)}
    values = {name.lower(): value for name, value in given.items()}
    if unknown := set(values) - known:
        raise ImproperlyConfigured(f"QUEUEING has unknown settings: {', '.join(sorted(unknown))}")
    return EngineConf(queues=queues, **values)


def get_queue(name: str) -> QueueDef:
    """The queue's definition; `ImproperlyConfigured` names those there are."""
    queues = get_conf().queues
    if name not in queues:
        raise ImproperlyConfigured(f"queue {name!r} is not in QUEUEING['QUEUES'] ({', '.join(queues)})")
    return queues[name]


def is_configured(name: str) -> bool:
    """Return whether the settings define the queue `name`. The jobs of other queues are orphaned."""
    return name in get_conf().queues


def _queue(name: str, spec: dict[str, Any]) -> QueueDef:
    if unknown := set(spec) - {f.name for f in fields(QueueDef)}:
        raise ImproperlyConfigured(f"queue {name!r} has unknown settings: {', '.join(sorted(unknown))}")
    _check_types(name, spec)
    backoff = dict(spec.pop("backoff", {}))
    limiter = spec.pop("limiter", None)
    for key, parse in ENVIRONMENT_OVERRIDES.items():
        variable = f"QUEUE_{name.upper().replace('-', '_')}_{key.upper()}"
        if not (text := os.environ.get(variable, "")):
            continue
        try:
            value = parse(text)
        except ValueError:
            wanted = "two numbers such as 2/60" if key == "limiter" else "a number"
            raise ImproperlyConfigured(f"{variable}={text!r}: expected {wanted}") from None
        if key == "backoff_delay":
            backoff = {"type": "exponential"} | backoff | {"delay": value}
        elif key == "limiter":
            limiter = {"max": value[0], "duration": value[1]} if value[0] else None
        else:
            spec[key] = value
    return QueueDef(
        name=name,
        backoff=Backoff(**backoff),
        limiter=Limiter(**limiter) if limiter else None,
        **spec,
    )


_TYPES: dict[str, Any] = {f.name: f.type for f in fields(QueueDef)}
#: What is written for a type that is a class of ours.
_ACCEPTED_TYPES: dict[Any, Any] = {float: int | float, Backoff: dict, Limiter | None: dict | None}


def _check_types(name: str, spec: dict[str, Any]) -> None:
    for key, value in spec.items():
        wanted = _ACCEPTED_TYPES.get(_TYPES[key], _TYPES[key])
        if wanted == tuple[int, int]:
            fits = isinstance(value, list | tuple) and [type(item) for item in value] == [int, int]
        else:
            fits = isinstance(value, wanted) and not isinstance(value, bool)
        if not fits:
            said = getattr(wanted, "__name__", wanted)
            raise ImproperlyConfigured(f"queue {name!r}: {key}={value!r} should be {said}")


def _forget(*, setting: str, **_: object) -> None:
    if setting == "QUEUEING":
        get_conf.cache_clear()


setting_changed.connect(_forget)
