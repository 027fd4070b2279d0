"""The columns of the terminal's tables, and how their cells are formatted.

Only ASCII is used, so that any terminal and any log can show it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from rich.text import Text

from queueing.limits import backpressure
from queueing.monitoring import health

#: Rich's styles of the levels.
STYLES = {health.OK: "green", health.WARNING: "yellow", health.CRITICAL: "bold red"}

Row = dict[str, Any]


class Column(NamedTuple):
    """A column of a table of queues, workers, failures or jobs."""

    heading: str
    cell: Callable[[Row], Text | str]
    min_width: int = 0
    """The width of the screen, in characters, from which the column is shown."""
    left: bool = False


def seconds(value: float | None) -> str:
    """Format a duration in at most five characters: 0.2s, 12s, 3m, 2h, 5d; `-` for None."""
    if value is None:
        return "-"
    for limit, unit, name in ((10, 1, ""), (120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h")):
        if value < limit:
            return f"{value / unit:.0f}{name}" if name else f"{value:.1f}s"
    return f"{value / 86_400:.0f}d"


def _waiting(queue: Row) -> Text:
    level = queue["pressure"]
    style = {backpressure.FULL: STYLES[health.CRITICAL], backpressure.THROTTLED: STYLES[health.WARNING]}
    return Text(str(queue["waiting"]), style.get(level, ""))


def _oldest(queue: Row) -> Text:
    oldest = queue["oldestWaiting"] or 0
    level = health.CRITICAL if oldest >= health.VERY_OLD else health.WARNING if oldest >= health.OLD else ""
    return Text(seconds(queue["oldestWaiting"]), STYLES.get(level, ""))


def _failing(queue: Row) -> Text:
    recent = queue.get("recent")
    if not recent or recent["failureRate"] is None:
        return Text("-")
    rate, counts = recent["failureRate"], recent["failed"] >= health.FAILURES
    level = health.CRITICAL if rate >= health.MOSTLY_FAILING else health.WARNING
    return Text(f"{rate:.0%}", STYLES[level] if counts and rate >= health.FAILING else "")


def _state(queue: Row) -> Text:
    words = []
    if queue["paused"]:
        words.append("paused")
    if queue["outage"]:
        words.append(f"provider down {seconds(queue['cooldown'])}")
    elif queue["cooldown"]:
        words.append(f"cooldown {seconds(queue['cooldown'])}")
    if queue["pressure"] != backpressure.NORMAL:
        words.append(queue["pressure"])
    if not words:
        return Text("-")
    critical = queue["pressure"] == backpressure.FULL or queue["outage"]
    return Text(" ".join(words), STYLES[health.CRITICAL if critical else health.WARNING])


def _recent(what: str) -> Callable[[Row], str]:
    return lambda queue: f"{queue['recent'][what]:g}" if queue.get("recent") else "-"


def _spread(what: str, share: str) -> Callable[[Row], str]:
    return lambda queue: seconds(queue["recent"][what][share]) if queue.get("recent") else "-"


def _day(queue: Row) -> str:
    day = queue.get("day")
    return f"{day['completed']}/{day['failed']}" if day else "-"


_NAME = Column("queue", lambda queue: queue["name"], left=True)
_HISTORY = [
    Column("/min", _recent("perMinute"), 76),
    Column("fail 5m", _failing, 70),
    Column("wait p95", _spread("wait", "p95"), 104),
    Column("run p95", _spread("run", "p95"), 94),
    Column("24h ok/failed", _day, 118),
]
QUEUES = [
    _NAME,
    Column("waiting", _waiting),
    Column("active", lambda queue: str(queue["active"])),
    Column("delayed", lambda queue: str(queue["delayed"]), 86),
    Column("oldest", _oldest, 60),
    *_HISTORY,
    Column("state", _state, 52, left=True),
]
#: The columns while Redis is unavailable.
HISTORY = [_NAME, *_HISTORY]
WORKERS = [
    Column("worker", lambda worker: worker["id"], left=True),
    Column("host", lambda worker: worker["host"], 72, left=True),
    Column("pid", lambda worker: str(worker["pid"]), 60),
    Column(
        "jobs", lambda worker: f"{worker['running']}/{worker['slots']}{' quiet' * worker.get('quiet', False)}"
    ),
    Column("up", lambda worker: seconds(worker.get("up", worker["at"] - worker["started"])), 50),
    Column("heartbeat", lambda worker: seconds(worker["age"])),
]
FAILURES = [
    Column("queue", lambda group: group["queue"], left=True),
    Column("kind", lambda group: group["kind"], left=True),
    Column("code", lambda group: group["code"] or "-", left=True),
    Column("jobs", lambda group: f"{group['count']}{'+' if group['more'] else ''}"),
    Column("last", lambda group: seconds(group["ago"]), 50),
    Column("", lambda group: Text("growing", STYLES[health.WARNING]) if group["growing"] else "", 60),
    Column("note", lambda group: group["note"], 72, left=True),
]
JOBS = [
    Column("job", lambda job: job["id"], left=True),
    Column("queue", lambda job: job["queue"], 72, left=True),
    Column("kind", lambda job: job["kind"], left=True),
    Column("run time", lambda job: seconds(job["seconds"])),
    Column("attempt", lambda job: f"{job['attempt']}/{job['of']}", 60),
    Column("progress", lambda job: _progress(job["progress"]), 80),
    Column("worker", lambda job: job["worker"], 100, left=True),
]


def _progress(progress: Row | None) -> str:
    if not progress or not progress["total"]:
        return "-"
    return f"{progress['done'] / progress['total']:.0%}"
