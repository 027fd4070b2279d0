"""Health warnings: the same rules for the dashboard, the terminal, the metrics and the exit codes.

The thresholds are constants, not settings: from each of them on an operator should check the queue.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

from queueing.limits import backpressure
from queueing.record import orphans
from queueing.record.database_thread import in_thread
from queueing.schedule.facts import facts
from queueing.schedule.presence import claims
from queueing.schedule.redis_client import Unavailable

from .health_warning import CRITICAL as CRITICAL
from .health_warning import OK as OK
from .health_warning import WARNING as WARNING
from .health_warning import HealthWarning as HealthWarning
from .overview import queue_overview
from .worker_health import worker_warnings

#: Seconds that the next job may wait before it is a warning, and before it is critical.
OLD, VERY_OLD = 120, 600
#: Seconds that a job may wait while slots are free for it.
UNCLAIMED = 20
#: The share of the memory of Redis from which on it is a warning.
MEMORY_NEARLY_FULL = 0.9
#: The minimum number of failures in five minutes for a failure rate to count; the rates: warning, critical.
FAILURES, FAILING, MOSTLY_FAILING = 5, 0.2, 0.5
#: Failures grow if those per minute of the last five minutes are this many times those of the day.
GROWTH = 3
#: Minutes per day.
_DAY = 24 * 60


Check = Callable[[], Awaitable[list[HealthWarning]]]

_checks: list[Check] = []


def register_health_check(check: Check) -> Check:
    """Add a coroutine function to the checks of `queue_health`. Can be used as a decorator."""
    if check not in _checks:
        _checks.append(check)
    return check


async def queue_health() -> dict[str, Any]:
    """Return `queue_overview()` with `health` (ok, warning or critical) and `warnings`, the worst first.

    `server` has the facts about Redis on which some of them depend, and None while it is unavailable.

    Raise Django's `DatabaseError` when the database is unavailable.
    """
    overview = await queue_overview()
    try:
        overview["server"] = (await facts())._asdict()
    except Unavailable:
        overview["server"] = None
    found = warnings(overview) + await in_thread(_orphan_warnings)()
    found = [replace(warning, of="queues") for warning in found]
    for check in _checks:
        found += await check()
    found.sort(key=lambda warning: warning.level != CRITICAL)
    return overview | {"health": level(found), "warnings": [asdict(warning) for warning in found]}


def level(found: list[HealthWarning]) -> str:
    """Return the worst level: `ok`, `warning` or `critical`."""
    levels = {warning.level for warning in found}
    return CRITICAL if CRITICAL in levels else WARNING if levels else OK


def warnings(overview: dict[str, Any]) -> list[HealthWarning]:
    """Return the warnings of an overview, without those of registered checks."""
    if overview["redis"] != "ok":
        text = "Redis is unavailable. New jobs are stored but not started. Trying again every second."
        return [HealthWarning(CRITICAL, "redis", "", text)]
    found = [*_server_warnings(overview.get("server") or {}), *worker_warnings(overview)]
    found += _outage_warnings(overview)
    found += map(_unable_warning, overview["unable"])
    for queue in overview["queues"]:
        found += _waiting_warnings(queue)
        found += _unserved_warnings(queue, overview["workers"])
        found += _limit_warnings(queue)
        found += _unclaimed_warnings(queue, overview["workers"])
        found += _failure_warnings(queue)
    return found


def _server_warnings(server: dict[str, Any]) -> Iterator[HealthWarning]:
    """Yield the warnings about the memory of Redis."""
    if server.get("eviction", "") not in ("", "noeviction"):
        text = "Redis deletes keys when its memory is full, also those of jobs (maxmemory-policy "
        yield HealthWarning(WARNING, "eviction", "", f"{text}{server['eviction']}). Set noeviction.")
    used, most = server.get("used_memory", 0), server.get("max_memory", 0)
    if most and used >= most * MEMORY_NEARLY_FULL:
        text = f"Redis uses {used / 2**20:.0f} of {most / 2**20:.0f} MB."
        if used >= most:
            text += " New jobs are stored, and start when it has memory again."
        yield HealthWarning(CRITICAL if used >= most else WARNING, "memory", "", text)


def _orphan_warnings() -> list[HealthWarning]:
    """Return the warnings about orphaned queues. Blocks."""
    found = []
    for queue, number, more in orphans.orphaned_queues():
        jobs = f"{number}{' or more' * more} unfinished job{'' if number == 1 else 's'}"
        text = f"{jobs} on the unknown queue {queue}: restore it in the settings, or cancel the jobs."
        found.append(HealthWarning(WARNING, "strays", "", text))
    return found


def _unable_warning(row: dict[str, Any]) -> HealthWarning:
    """Return the warning about jobs that wait for a worker that can do them."""
    jobs = "1 job waits" if row["jobs"] == 1 else f"{row['jobs']} jobs wait"
    kind = repr(row["kind"]) + (f", version {row['version']}" if row["version"] > 1 else "")
    text = f"{jobs} for a worker that can do {kind} ({', '.join(row['arguments']) or 'no arguments'}): "
    text += f"{row['workers']} of the running workers can. Deploy the code that can, or cancel the jobs."
    return HealthWarning(WARNING, "unable", row["queue"], text)


def _outage_warnings(overview: dict[str, Any]) -> Iterator[HealthWarning]:
    by_provider: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for queue in overview["queues"]:
        if queue["outage"]:
            by_provider[queue["provider"] or queue["name"]].append(queue)
    for queues in by_provider.values():
        names, waiting = ", ".join(queue["name"] for queue in queues), sum(q["waiting"] for q in queues)
        text = f"The provider of {names} does not answer ({waiting} waiting)."
        text += f" One job tries it in {queues[0]['cooldown']:.0f} s."
        yield HealthWarning(CRITICAL, "outage", queues[0]["name"], text)


def _waiting_warnings(queue: dict[str, Any]) -> Iterator[HealthWarning]:
    name, waiting = queue["name"], queue["waiting"]
    if queue["pressure"] == backpressure.FULL:
        yield HealthWarning(CRITICAL, "full", name, f"{name} is full: new jobs are rejected.")
    elif queue["pressure"] == backpressure.THROTTLED:
        yield HealthWarning(
            WARNING, "throttled", name, f"{name} is nearly full: each owner can add only a few jobs."
        )
    if queue["paused"]:
        if waiting:
            yield HealthWarning(WARNING, "paused", name, f"{name} is paused ({waiting} waiting).")
        return
    if queue["cooldown"] and not queue["outage"]:
        text = f"{name} is in cooldown for {queue['cooldown']:.0f} s (requested by the provider)."
        yield HealthWarning(WARNING, "cooldown", name, text)
    oldest = queue["oldestWaiting"] or 0
    if oldest >= OLD:
        # A rate limit makes jobs wait on purpose.
        very = oldest >= VERY_OLD and not queue["limiter"]
        text = f"The next job of {name} has waited {oldest:.0f} s."
        yield HealthWarning(CRITICAL if very else WARNING, "old", name, text)


def _unserved_warnings(queue: dict[str, Any], workers: list[dict[str, Any]]) -> Iterator[HealthWarning]:
    """Yield a warning if jobs wait that none of the running workers claims."""
    if not queue["waiting"] or queue["paused"] or not workers:
        return
    if not any(claims(worker, queue["name"]) for worker in workers):
        text = f"No running worker serves {queue['name']} ({queue['waiting']} waiting)."
        text += " Resume a quiet worker, or start one: manage.py qcluster"
        yield HealthWarning(CRITICAL, "unserved", queue["name"], text)


def _limit_warnings(queue: dict[str, Any]) -> Iterator[HealthWarning]:
    if queue.get("limitsDiffer"):
        text = f"The workers have different limits of {queue['name']} in their settings."
        yield HealthWarning(WARNING, "limits", queue["name"], f"{text} Restart the clusters with the same.")


def _unclaimed_warnings(queue: dict[str, Any], workers: list[dict[str, Any]]) -> Iterator[HealthWarning]:
    """Yield a warning if a job waits that a worker with free slots should have claimed long ago."""
    serving = [worker for worker in workers if claims(worker, queue["name"])]
    free = sum(max(0, worker["slots"] - worker["running"]) for worker in serving)
    # Below the concurrency of one cluster, any worker with a free slot may claim it.
    most, limiter = queue.get("concurrency", 0), queue["limiter"]
    held = queue["paused"] or queue["cooldown"] or queue["outage"]
    held = held or queue["active"] >= min(most, queue.get("globalConcurrency") or most)
    held = held or (limiter and limiter.get("used", 0) >= limiter.get("max", 0))
    if free and not held and (queue["oldestWaiting"] or 0) >= UNCLAIMED:
        text = f"No worker claims the next job of {queue['name']}, which has waited"
        text += f" {queue['oldestWaiting']:.0f} s, although slots are free."
        yield HealthWarning(CRITICAL, "unclaimed", queue["name"], text)


def _failure_warnings(queue: dict[str, Any]) -> Iterator[HealthWarning]:
    recent = queue.get("recent")
    if not recent or recent["failed"] < FAILURES:
        return
    name, failed, rate = queue["name"], recent["failed"], recent["failureRate"]
    if rate >= FAILING:
        text = f"{failed} jobs of {name} failed in the last five minutes ({rate:.0%} of the finished jobs)."
        yield HealthWarning(CRITICAL if rate >= MOSTLY_FAILING else WARNING, "failing", name, text)
    elif failed / (recent["seconds"] / 60) >= GROWTH * queue["day"]["failed"] / _DAY:
        text = f"More jobs of {name} fail than usual: {failed} in the last five minutes."
        yield HealthWarning(WARNING, "growing", name, text)
