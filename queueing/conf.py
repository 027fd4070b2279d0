"""Read the engine's settings: `settings.QUEUEING`, typed, read on first use, with environment overrides.

QUEUE_OPENAI_CHAT_<NAME> overrides a setting of the queue `openai-chat`; `ENVIRONMENT_OVERRIDES` lists the
names. A wrong value raises `ImproperlyConfigured` with the variable's name, which `checks.py` turns into a
system check.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from .values.redis_url import parse_redis_url

#: The queue of plain `async_task()` calls and Django-Q2 schedules. It exists also without a setting.
DJANGO_Q_QUEUE = "django-q"
#: The broker of that queue, unless `Q_CLUSTER` names another.
DJANGO_Q_BROKER = "queueing.worker.django_q.broker.RedisBroker"


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """The wait after a failed attempt. The formula is in limits/backoff.py."""

    type: str = "none"
    """`none`, `fixed` or `exponential`."""
    delay: float = 0.0
    """Seconds before the first retry."""
    jitter: float = 0.0
    """The share of the wait that is random, 0 to 1."""
    max_delay: float = 3600.0
    """The maximum wait in seconds."""


#: What holds for each backoff: the field, whether its value is right, and what is allowed.
BACKOFF_RULES: list[tuple[str, Callable[[Backoff], bool], str]] = [
    ("type", lambda backoff: backoff.type in ("none", "fixed", "exponential"), "none, fixed, exponential"),
    ("delay", lambda backoff: backoff.delay >= 0, "0 seconds or more"),
    ("jitter", lambda backoff: 0 <= backoff.jitter <= 1, "0 to 1"),
    ("max_delay", lambda backoff: backoff.max_delay >= 0, "0 seconds or more"),
]


@dataclass(frozen=True)
class Limiter:
    """A maximum of `max` starts in any `duration` seconds, over all workers."""

    max: int
    duration: float


@dataclass(frozen=True, kw_only=True)
class QueueDef:
    """The definition of a queue. Names and meanings are those of Bull wherever Bull has them."""

    name: str
    priority: int = 5
    """1 starts first when there are more jobs than free slots."""
    concurrency: int = 1
    """Maximum active jobs per cluster (one `manage.py qcluster`). With 0, clusters do not serve the queue."""
    global_concurrency: int = 0
    """Maximum active jobs over all clusters; 0 for no maximum."""
    attempts: int = 1
    """Maximum attempts, including the first."""
    backoff: Backoff = field(default_factory=Backoff)
    limiter: Limiter | None = None
    timeout: float = 300.0
    """Maximum seconds of an attempt."""
    keep: tuple[int, int] = (100, 50)
    """The numbers of completed and of failed jobs that Redis and the dashboard list."""
    soft_limit: int = 500
    """Unfinished jobs from which the queue is `throttled`; `throttled_owner` then limits each owner."""
    hard_limit: int = 2000
    """Unfinished jobs from which the queue is `full`."""
    owner_limit: int = 50
    """Maximum unfinished jobs of an owner; 0 for no maximum."""
    throttled_owner: int = 2
    """Maximum unfinished jobs of an owner while the queue is throttled."""
    owner_concurrency: int = 0
    """Maximum active jobs of an owner; 0 for no maximum."""
    max_stalled: int = 2
    """How often a worker may die while it runs this job alone. The next time the job fails."""
    provider: str = ""
    """The name of what the queue's jobs call: a provider and one of its models. Queues with the same name
    wait together while it asks for a wait or does not answer."""
    patience: float = 900.0
    """Seconds that a job waits for a provider that does not answer."""

    @property
    def breaker(self) -> str:
        """The name of the breaker that stops the queue while its provider fails."""
        return self.provider or f"queue {self.name}"


@dataclass(frozen=True, kw_only=True)
class EngineConf:
    """All settings of the engine."""

    queues: Mapping[str, QueueDef]
    redis_url: str
    prefix: str = "queueing"
    """The first part of every Redis key, as a hash tag, so that Redis Cluster keeps the keys together."""
    lease: float = 11.0
    """Seconds that a claim lasts without renewal, and so the time until a dead worker is noticed."""
    heartbeat: float = 3.0
    """Seconds between two renewals of a worker's leases."""
    grace: float = 20.0
    """Seconds that active jobs have to finish when a worker is asked to stop."""
    slots: int = 0
    """Maximum active jobs of a worker; 0 for the sum of the queues' concurrency."""
    ageing: float = 30.0
    """Seconds of waiting that raise the next job of a queue by one level of priority against other queues,
    and after which a job takes turns with those of better priorities in its own queue."""
    max_payload: int = 65536
    """Maximum size of a job's arguments, in bytes of JSON."""
    keep_days: float = 30.0
    """Days that the rows of finished jobs are kept."""
    first_probe: float = 5.0
    """Seconds after a provider has failed until one job tries it again. Each further try doubles the wait, up
    to 12 times this."""
    owners_per_share: int = 10
    """How many times the unfinished jobs of one owner those who have a share may have together."""
    recycle: int = 0
    """Jobs after which a worker is replaced; 0 for never."""
    preload: tuple[str, ...] = ()
    """Modules that a cluster imports before it forks its workers, which share their memory."""
    tasks: tuple[str, ...] = ()
    """Dotted names of the functions that `async_task()`, schedules and hooks of Django-Q2 may run."""
    version: str = ""
    """The version that workers report, for operators who watch a deployment."""
    traces: bool = False
    """Whether spans of jobs go to an OpenTelemetry collector (tracing.py)."""
    health_file: str = ""
    """A file whose time a cluster renews every second while it works, for probes of containers."""


def _limiter(value: str) -> tuple[int, float]:
    maximum, _, seconds = value.partition("/")
    return int(maximum), float(seconds)


#: Name of a setting in the environment -> function that reads its value.
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


def _variable(queue: str, field_name: str) -> str:
    return f"QUEUE_{queue.upper().replace('-', '_')}_{field_name.upper()}"


def environment_variables() -> set[str]:
    """Return the names of all variables of the environment that change the settings of a queue."""
    return {_variable(queue, name) for queue in get_conf().queues for name in ENVIRONMENT_OVERRIDES}


@cache
def get_conf() -> EngineConf:
    """Return the settings, which are read once, and again after a test overrides `QUEUEING`."""
    given: dict[str, Any] = dict(getattr(settings, "QUEUEING", {}))
    queues = {name: _queue(name, dict(spec)) for name, spec in given.pop("QUEUES", {}).items()}
    queues.setdefault(
        DJANGO_Q_QUEUE, _queue(DJANGO_Q_QUEUE, {"priority": 5, "concurrency": 4, "owner_limit": 0})
    )
    known = {f.name for f in fields(EngineConf)}
    values = {name.lower(): value for name, value in given.items()}
    if unknown := set(values) - known:
        raise ImproperlyConfigured(f"QUEUEING has unknown settings: {', '.join(sorted(unknown))}")
    parse_redis_url(values.get("redis_url", ""))
    return EngineConf(queues=queues, **values)


def get_queue(name: str) -> QueueDef:
    """Return the definition of the queue `name`. Raise `ImproperlyConfigured` with the known names."""
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
        variable = _variable(name, key)
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
#: Type of a field -> type of its value in the settings, where the two differ.
_ACCEPTED_TYPES: dict[Any, Any] = {float: int | float, Backoff: dict, Limiter | None: dict | None}


def _check_types(name: str, spec: dict[str, Any]) -> None:
    for key, value in spec.items():
        wanted = _ACCEPTED_TYPES.get(_TYPES[key], _TYPES[key])
        if wanted == tuple[int, int]:
            fits = isinstance(value, list | tuple) and [type(item) for item in value] == [int, int]
        else:
            fits = isinstance(value, wanted) and not isinstance(value, bool)
        if not fits:
            expected = getattr(wanted, "__name__", wanted)
            raise ImproperlyConfigured(f"queue {name!r}: {key}={value!r} should be {expected}")


def _clear_cache(*, setting: str, **_: object) -> None:
    if setting == "QUEUEING":
        get_conf.cache_clear()


setting_changed.connect(_clear_cache)
