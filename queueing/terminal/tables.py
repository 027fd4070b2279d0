"""What `health.look` saw, as something rich can draw: words first, colour beside them, never alone.

Only ASCII, so that any terminal and any log can show it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from queueing.limits import backpressure
from queueing.monitoring import health

#: Rich's styles of the levels.
STYLES = {health.OK: "green", health.WARNING: "yellow", health.CRITICAL: "bold red"}
_MARKS = {health.OK: "ok", health.WARNING: "!", health.CRITICAL: "!!"}

Row = dict[str, Any]


class Column(NamedTuple):
    """One column of a table of queues, workers or failures."""

    head: str
    cell: Callable[[Row], Text | str]
    least: int = 0
    """Characters that the screen must be wide for it to be there."""
    left: bool = False


def seconds(value: float | None) -> str:
    """A duration in at most five characters: 0.2s, 12s, 3m, 2h, 5d; `-` for None."""
    if value is None:
        return "-"
    for most, unit, name in ((10, 1, ""), (120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h")):
        if value < most:
            return f"{value / unit:.0f}{name}" if name else f"{value:.1f}s"
    return f"{value / 86_400:.0f}d"


def plain(text: str) -> str:
    """Text that moves no cursor: others may have written it."""
    return "".join(char if char.isprintable() else "?" for char in text)


def head(seen: Row, *, when: str) -> Text:
    """The first line: how all is, who works, as of `when`."""
    level = seen["health"]
    line = Text.assemble(
        ("queues ", "bold"), (level, f"{STYLES[level]} reverse"), "  ", no_wrap=True, overflow="ellipsis"
    )
    workers = seen["workers"]
    running, slots = (sum(worker[what] for worker in workers) for what in ("running", "slots"))
    known = seen["redis"] == "ok"
    line.append(f"redis {'ok' if known else 'away'}  ", "" if known else STYLES[health.CRITICAL])
    if known:
        line.append(f"workers {len(workers)}  slots {running}/{slots}  ")
    return line.append(when, "dim")


def warnings(seen: Row, most: int) -> Text:
    """At most `most` lines, the worst first; the last says how many more there are."""
    found = seen["warnings"]
    shown = found if len(found) <= most else found[: max(0, most - 1)]
    lines = []
    for warning in shown:
        level = warning["level"]
        lines.append(Text.assemble((f"{_MARKS[level]:2} {level:8} ", STYLES[level]), plain(warning["text"])))
    if len(found) > len(shown):
        lines.append(Text(f"   and {len(found) - len(shown)} more warnings", "dim"))
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)


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
    if queue["cooldown"]:
        words.append(f"rests {seconds(queue['cooldown'])}")
    if queue["pressure"] != backpressure.NORMAL:
        words.append(queue["pressure"])
    if not words:
        return Text("-")
    full = queue["pressure"] == backpressure.FULL
    return Text(" ".join(words), STYLES[health.CRITICAL if full else health.WARNING])


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
#: Of queues whose present nobody knows: Redis is away.
HISTORY = [_NAME, *_HISTORY]
WORKERS = [
    Column("worker", lambda worker: worker["id"], left=True),
    Column("host", lambda worker: plain(worker["host"]), 72, left=True),
    Column("pid", lambda worker: str(worker["pid"]), 60),
    Column("jobs", lambda worker: f"{worker['running']}/{worker['slots']}"),
    Column("up", lambda worker: seconds(worker["at"] - worker["started"]), 50),
    Column("heard", lambda worker: seconds(worker["age"])),
]
FAILURES = [
    Column("queue", lambda group: group["queue"], left=True),
    Column("kind", lambda group: plain(group["kind"]), left=True),
    Column("why", lambda group: plain(group["code"]) or "-", left=True),
    Column("jobs", lambda group: f"{group['count']}{'+' if group['more'] else ''}"),
    Column("last", lambda group: seconds(group["ago"]), 50),
    Column("", lambda group: Text("growing", STYLES[health.WARNING]) if group["growing"] else "", 60),
    Column("note", lambda group: plain(group["note"]), 72, left=True),
]
JOBS = [
    Column("job", lambda job: job["id"], left=True),
    Column("queue", lambda job: job["queue"], 72, left=True),
    Column("kind", lambda job: plain(job["kind"]), left=True),
    Column("for", lambda job: seconds(job["seconds"])),
    Column("try", lambda job: f"{job['attempt']}/{job['of']}", 60),
    Column("done", lambda job: _progress(job["progress"]), 80),
    Column("worker", lambda job: job["worker"], 100, left=True),
]


def _progress(progress: Row | None) -> str:
    if not progress or not progress["total"]:
        return "-"
    return f"{progress['done'] / progress['total']:.0%}"


def table(columns: Sequence[Column], rows: Sequence[Row], width: int, chosen: int | None = None) -> Table:
    """The rows, with as many of the columns as fit; the one `chosen` is marked."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", collapse_padding=True)
    drawn.add_column("", width=1)
    columns = [column for column in columns if width >= column.least]
    for column in columns:
        drawn.add_column(
            column.head, justify="left" if column.left else "right", no_wrap=True, overflow="ellipsis"
        )
    for number, row in enumerate(rows):
        mine = number == chosen
        drawn.add_row(
            ">" if mine else "",
            *(column.cell(row) for column in columns),
            style="reverse" if mine else "",
        )
    return drawn


def once(seen: Row, *, when: str, width: int) -> RenderableType:
    """Everything, as high as it gets: for pipes, logs and `--once`."""
    parts: list[RenderableType] = [head(seen, when=when)]
    if seen["warnings"]:
        parts += [Text(), warnings(seen, len(seen["warnings"]))]
    parts += [Text(), queues(seen, width)]
    if seen["workers"]:
        parts += [Text(), table(WORKERS, seen["workers"], width)]
    return Group(*parts)


def queues(seen: Row, width: int, chosen: int | None = None) -> Table:
    """The table of queues; only their history when Redis is away."""
    return table(QUEUES if seen["redis"] == "ok" else HISTORY, seen["queues"], width, chosen)
