"""System checks: report wrong settings at start, each with a way to fix it."""

from pydoc import locate
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands
from django.db import DEFAULT_DB_ALIAS, connections, router
from django_q.conf import Conf

from .conf import BACKOFF_RULES, DJANGO_Q_BROKER, EngineConf, QueueDef, get_conf
from .kinds import all_kinds
from .models import Job
from .schedule.facts import OLDEST_VERSION, facts_sync
from .schedule.redis_client import Unavailable


@register("queueing")
def check_queueing(**_: Any) -> list[CheckMessage]:
    """Return a message for everything in `settings.QUEUEING` that would fail later."""
    try:
        conf = get_conf()
    except (ImproperlyConfigured, TypeError) as exc:
        return [Error(str(exc), hint="queueing/conf.py names all settings of QUEUEING.", id="queueing.E001")]
    found: list[CheckMessage] = []
    if not settings.USE_TZ:
        message = "USE_TZ is False: the engine compares times of several processes and hosts"
        hint = "Set USE_TZ = True (Django's documentation: Time zones). TIME_ZONE can have any value."
        found.append(Error(message, hint=hint, id="queueing.E004"))
    for queue in conf.queues.values():
        found += _check_queue(queue)
    found += _check_times(conf)
    found += _check_tasks(conf)
    for kind in all_kinds():
        if kind.queue not in conf.queues:
            hint = f"Add it to QUEUEING['QUEUES'] or use one of: {', '.join(conf.queues)}."
            message = f"job kind {kind.name!r} uses the unknown queue {kind.queue!r}"
            found.append(Error(message, hint=hint, id="queueing.E003"))
    return found


@register("queueing")
def check_apps(**_: Any) -> list[CheckMessage]:
    """Return a message if `manage.py qcluster`, or the broker of Django-Q2's tasks, is not the engine's."""
    found: list[CheckMessage] = []
    if get_commands().get("qcluster") != "queueing":
        message = "`manage.py qcluster` is not the engine's, and would run no job"
        hint = "Put 'queueing' before 'django_q' in INSTALLED_APPS."
        found.append(Error(message, hint=hint, id="queueing.E008"))
    elif Conf.BROKER_CLASS != DJANGO_Q_BROKER:
        message = f"Q_CLUSTER['broker_class'] is {Conf.BROKER_CLASS!r}: no worker runs what it holds"
        hint = f"Leave it out. async_task() and schedules of Django-Q2 then use {DJANGO_Q_BROKER}."
        found.append(Error(message, hint=hint, id="queueing.E009"))
    return found


@register("queueing")
def check_database(**_: Any) -> list[CheckMessage]:
    """Return a message if the engine's tables are elsewhere, or if SQLite would often be locked."""
    found: list[CheckMessage] = []
    if {router.db_for_read(Job), router.db_for_write(Job)} != {DEFAULT_DB_ALIAS}:
        message = "DATABASE_ROUTERS sends the engine's tables to another database than 'default'"
        hint = "Leave the apps queueing and django_q in 'default': a job and its rows share a transaction."
        found.append(Error(message, hint=hint, id="queueing.E007"))
    database = connections[DEFAULT_DB_ALIAS]
    options = database.settings_dict["OPTIONS"]
    if database.vendor == "sqlite" and str(options.get("transaction_mode")).upper() != "IMMEDIATE":
        message = "SQLite transactions begin without the write lock, and fail when two processes write"
        hint = 'Set OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 30} in DATABASES.'
        found.append(Warning(message, hint=hint, id="queueing.W005"))
    return found


@register("queueing", deploy=True)
def check_redis(**_: Any) -> list[CheckMessage]:
    """Return a message for every setting of the Redis server with which jobs can be lost or fail."""
    try:
        found = facts_sync()
    except ImproperlyConfigured:
        return []  # check_queueing reports it
    except Unavailable as exc:
        message = f"Redis cannot be asked for its settings ({type(exc).__name__})"
        return [Warning(message, hint="Is it running? See REDIS_URL.", id="queueing.W004")]
    messages: list[CheckMessage] = []
    if found.version and found.version < OLDEST_VERSION:
        message = f"Redis {'.'.join(map(str, found.version))} is too old"
        messages.append(Error(message, hint="Use Redis 6.2 or later, or Valkey.", id="queueing.E005"))
    if found.eviction not in ("", "noeviction"):
        message = f"Redis may delete the keys of jobs: its maxmemory-policy is {found.eviction}"
        messages.append(Warning(message, hint="Set maxmemory-policy to noeviction.", id="queueing.W002"))
    if not found.has_aof:
        message = "Redis keeps no log of its writes (appendonly no)"
        hint = "Nothing accepted is lost, but a restart begins with an empty line until it is restored."
        messages.append(Warning(message, hint=hint, id="queueing.W003"))
    return messages


def _check_tasks(conf: EngineConf) -> list[CheckMessage]:
    """Report functions of TASKS that do not exist."""
    hint = "Give the dotted name of a function, such as myapp.tasks.nightly."
    if isinstance(conf.tasks, str):
        return [Error("QUEUEING['TASKS'] is a text, not a list", hint=hint, id="queueing.E006")]
    return [
        Error(f"QUEUEING['TASKS'] names {name!r}, which is not a function", hint=hint, id="queueing.E006")
        for name in conf.tasks
        if not callable(locate(str(name)))
    ]


def _check_queue(queue: QueueDef) -> list[CheckMessage]:
    rules = [
        (1 <= queue.priority <= 1000, "priority", "1 (first) to 1000"),
        (queue.concurrency >= 0, "concurrency", "0 (no cluster with these settings serves it) or more"),
        (queue.global_concurrency >= 0, "global_concurrency", "0 (no cap) or more"),
        (queue.attempts >= 1, "attempts", "at least 1, including the first attempt"),
        (queue.timeout > 0, "timeout", "seconds above 0"),
        *((rule(queue.backoff), f"backoff.{name}", hint) for name, rule, hint in BACKOFF_RULES),
        (not queue.limiter or queue.limiter.max >= 1, "limiter.max", "at least 1"),
        (not queue.limiter or queue.limiter.duration > 0, "limiter.duration", "seconds above 0"),
        (0 < queue.soft_limit <= queue.hard_limit, "soft_limit", "above 0 and at most hard_limit"),
        (queue.max_stalled >= 0, "max_stalled", "0 or more"),
    ]
    return [
        Error(f"queue {queue.name!r}: {name} is out of range", hint=f"Use {hint}.", id="queueing.E002")
        for ok, name, hint in rules
        if not ok
    ]


def _check_times(conf: EngineConf) -> list[CheckMessage]:
    if conf.heartbeat * 2 < conf.lease:
        return []
    return [
        Warning(
            "QUEUEING: with a lease of less than two heartbeats, busy workers lose their jobs",
            hint=f"Set LEASE above {conf.heartbeat * 2:g} or HEARTBEAT lower.",
            id="queueing.W001",
        )
    ]
