"""The tables of the terminal, and the keys that it understands."""

from io import StringIO
from typing import Any

import pytest
from django.db import OperationalError
from rich.console import Console

from queueing.monitoring import health
from queueing.terminal import columns, poller, tables
from queueing.terminal.terminal import split

LAST = {
    "completed": 8,
    "failed": 12,
    "seconds": 300,
    "failureRate": 0.6,
    "perMinute": 4.0,
    "wait": {"p95": 1.5},
    "run": {"p95": 130.0},
}


def queue(name: str, **figures: Any) -> dict[str, Any]:
    quiet = {"waiting": 0, "active": 0, "delayed": 0, "paused": False, "pressure": "normal"}
    return {"name": name, **quiet, "cooldown": 0.0, "outage": False, "oldestWaiting": None} | figures


def overview(*queues: dict[str, Any], warnings: int = 0, redis: str = "ok") -> dict[str, Any]:
    worker = {
        "id": "c/w",
        "host": "h",
        "pid": 7,
        "running": 3,
        "slots": 5,
        "started": 0,
        "at": 90,
        "age": 0.2,
    }
    warning = {"level": "critical", "code": "full", "queue": "a", "text": "a is full."}
    level = health.CRITICAL if warnings else health.OK
    workers = [worker] if redis == "ok" else []
    return {
        "redis": redis,
        "queues": list(queues),
        "workers": workers,
        "health": level,
        "warnings": [warning] * warnings,
    }


def drawn(health_overview: dict[str, Any], width: int = 120) -> str:
    console = Console(width=width, record=True, file=StringIO())
    console.print(tables.once(health_overview, when="12:00", width=width))
    return console.export_text()


def row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_tables_have_a_row_for_each_queue_and_worker():
    chat = queue("chat", waiting=4, active=3, delayed=2, oldestWaiting=130.0, recent=LAST, paused=True)
    chat["day"] = {"completed": 80, "failed": 20, "retried": 1}
    text = drawn(overview(chat, queue("idle")))
    assert row(text, "chat") == ["chat", "4", "3", "2", "2m", "4", "60%", "1.5s", "2m", "80/20", "paused"]
    assert row(text, "idle")[:5] == ["idle", "0", "0", "0", "-"]
    assert row(text, "c/w") == ["c/w", "h", "7", "3/5", "90s", "0.2s"]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 200])
def test_lines_fit_width_and_keep_main_columns(width):
    text = drawn(overview(queue("openai-chat", waiting=7, recent=LAST), warnings=2), width)
    assert max(map(len, text.splitlines())) <= width
    assert "openai-chat" in text
    assert "critical" in text


def test_tables_without_redis_show_history():
    text = drawn(overview({"name": "chat", "recent": LAST}, redis="unavailable: ConnectionError"))
    assert "redis unavailable" in text
    assert row(text, "chat")[:2] == ["chat", "4"]


def test_warnings_beyond_maximum_are_counted():
    assert tables.warnings(overview(warnings=9), 3).plain.splitlines()[-1].strip() == "and 7 more warnings"
    assert len(tables.warnings(overview(warnings=3), 3).plain.splitlines()) == 3


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "-"), (0.04, "0.0s"), (9.9, "9.9s"), (100, "100s"), (180, "3m"), (7200, "2h"), (200_000, "2d")],
)
def test_seconds_formats_short_durations(value, said):
    assert columns.seconds(value) == said


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("p", ["p"]),
        ("\x1b[B\x1b[B\x1bOA", ["down", "down", "up"]),
        ("\x1b", ["escape"]),
        ("\x1bD", []),
        ("\x1b[15~q", ["q"]),
        ("jjD", ["j", "j", "D"]),
    ],
)
def test_split_separates_keys_typed_together(typed, keys):
    assert split(typed) == keys


async def test_poll_with_database_error_keeps_snapshot_with_problem(monkeypatch):
    async def away() -> dict[str, Any]:
        raise OperationalError("server closed the connection")

    before = poller.Snapshot(overview(queue("chat")), at=100.0)
    monkeypatch.setattr(health, "queue_health", away)
    after = await poller.poll(before)
    assert (after.overview, after.at) == (before.overview, 100.0)
    assert "The database is unavailable (OperationalError)" in after.problem
