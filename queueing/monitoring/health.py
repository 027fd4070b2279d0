"""Is something wrong? What the dashboard, the terminal and alerts say about the queues, by the same rules.

The thresholds are here and not in settings: each is the point from which somebody should look.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from queueing.conf import get_conf
from queueing.limits import backpressure
from queueing.record import orphans
from queueing.record.database_thread import in_thread

from .overview import queue_overview

OK, WARNING, CRITICAL = "ok", "warning", "critical"

#: Seconds that the next in line may have waited before it is a warning, and before it is critical.
OLD, VERY_OLD = 120, 600
#: Failures in the last five minutes from which their share counts, and that share: warning, critical.
FAILURES, FAILING, MOSTLY_FAILING = 5, 0.2, 0.5
#: How many times the day's failures a minute those of the last five minutes are when they are growing.
GROWTH = 3
#: Minutes in a day, which `day` sums up.
_DAY = 24 * 60


@dataclass(frozen=True)
class HealthWarning:
    """Something somebody should look at."""

    level: str
    """`warning` or `critical`."""
    code: str
    """A stable word, such as `no_workers`."""
    queue: str
    """The queue's name; empty when it is about all of them."""
    text: str
    """One sentence, with the way out where there is one. It never quotes what jobs are about."""


Check = Callable[[], Awaitable[list[HealthWarning]]]

_checks: list[Check] = []


def register_health_check(check: Check) -> Check:
    """Ask the coroutine function `check`, too, whenever `look` is called; usable as a decorator."""
    if check not in _checks:
        _checks.append(check)
    return check


async def queue_health() -> dict[str, Any]:
    """`queue_overview()`, with `health` (ok, warning or critical) and `warnings`, the worst first.

    Raises Django's `DatabaseError` when the database is away.
    """
    overview = await queue_overview()
    found = warnings(overview)
    found += await in_thread(_orphaned_queues)()
    for check in _checks:
        found += await check()
    found.sort(key=lambda warning: warning.level != CRITICAL)
    return overview | {"health": level(found), "warnings": [asdict(warning) for warning in found]}


def level(found: list[HealthWarning]) -> str:
    """The worst of them: `ok`, `warning` or `critical`."""
    levels = {warning.level for warning in found}
    return CRITICAL if CRITICAL in levels else WARNING if levels else OK


def warnings(overview: dict[str, Any]) -> list[HealthWarning]:
    """What an overview alone tells; asks nobody. Registered checks are asked by `look`."""
    if overview["redis"] != "ok":
        text = "Redis is away: submissions are kept, nothing starts. It is asked again each second."
        return [HealthWarning(CRITICAL, "redis", "", text)]
    found = list(_of_workers(overview))
    for queue in overview["queues"]:
        found += _of_line(queue)
        found += _of_failures(queue)
    return found


def _orphaned_queues() -> list[HealthWarning]:
    """Blocks."""
    found = []
    for queue, number, more in orphans.orphaned_queues():
        jobs = f"{number}{' or more' * more} unfinished job{'' if number == 1 else 's'}"
        text = f"{jobs} of {queue}, which is not in the settings: put it back, or cancel them."
        found.append(HealthWarning(WARNING, "strays", "", text))
    return found


def _of_workers(overview: dict[str, Any]) -> Iterator[HealthWarning]:
    if not overview["workers"]:
        waiting = sum(queue["waiting"] for queue in overview["queues"] if not queue["paused"])
        text = f"No worker runs ({waiting} waiting). Start one: manage.py qcluster"
        yield HealthWarning(CRITICAL, "no_workers", "", text)
    for worker in overview["workers"]:
        if worker["age"] > 2 * get_conf().heartbeat:
            text = f"Worker {worker['id']} was last heard of {worker['age']:g} s ago."
            yield HealthWarning(WARNING, "heartbeat", "", text)


def _of_line(queue: dict[str, Any]) -> Iterator[HealthWarning]:
    name, waiting = queue["name"], queue["waiting"]
    if queue["pressure"] == backpressure.FULL:
        yield HealthWarning(CRITICAL, "full", name, f"{name} is full: submissions are refused.")
    elif queue["pressure"] == backpressure.THROTTLED:
        yield HealthWarning(
            WARNING, "throttled", name, f"{name} is nearly full: each owner may add a few only."
        )
    if queue["paused"]:
        if waiting:
            yield HealthWarning(WARNING, "paused", name, f"{name} is paused, and {waiting} wait.")
        return
    if queue["cooldown"]:
        text = f"{name} rests for {queue['cooldown']:.0f} s more, as the provider asked."
        yield HealthWarning(WARNING, "cooldown", name, text)
    oldest = queue["oldestWaiting"] or 0
    if oldest >= OLD:
        # Where a limiter holds the line back, waiting long is what was asked for.
        very = oldest >= VERY_OLD and not queue["limiter"]
        text = f"The next in {name} has waited for {oldest:.0f} s."
        yield HealthWarning(CRITICAL if very else WARNING, "old", name, text)


def _of_failures(queue: dict[str, Any]) -> Iterator[HealthWarning]:
    recent = queue.get("recent")
    if not recent or recent["failed"] < FAILURES:
        return
    name, failed, rate = queue["name"], recent["failed"], recent["failureRate"]
    if rate >= FAILING:
        text = f"{failed} jobs of {name} failed in the last five minutes, {rate:.0%} of those that ended."
        yield HealthWarning(CRITICAL if rate >= MOSTLY_FAILING else WARNING, "failing", name, text)
    elif failed / (recent["seconds"] / 60) >= GROWTH * queue["day"]["failed"] / _DAY:
        text = f"More jobs of {name} fail than usual: {failed} in the last five minutes."
        yield HealthWarning(WARNING, "growing", name, text)
