"""O17: what people write is shown, never interpreted: on terminals and in logs."""

import io
import logging
from typing import Any

import pytest
from django.core.management import CommandError
from rich.console import Console

from queueing.errors import QueueingError
from queueing.management.operator import HelpfulCommand, command_errors
from queueing.terminal import columns, tables
from queueing.values.cleaning import escape_unprintable
from queueing.values.log_lines import LineFormatter

HOSTILE = [
    "[/]",
    "[red]x[/red]",
    "[link=https://evil.example]x[/link]",
    "x[bold",
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGVsbG8=\x1b\\",
    "\x9b31m",
    "a\nb\rc\x0bd\x85e\u2028f",
    "\u202egpj.exe",
    "\u2066hidden\u2069",
    "zero\u200bwidth\ufeff",
    "\x00\x08\x7f",
    "\ud800",
]
hostile = pytest.mark.parametrize("text", HOSTILE, ids=ascii)


def assert_inert(output: str, text: str) -> None:
    """Fail unless the output shows the text, and has nothing but printable characters."""
    assert output.isprintable(), ascii(output)
    assert escape_unprintable(text) in output


@hostile
def test_escaped_text_is_printable_and_shows_every_character(text: str):
    escaped = escape_unprintable(text)
    assert escaped.isprintable()
    assert len(escaped) >= len(text)
    assert escape_unprintable(escaped) == escaped


def drawn(renderable: Any) -> str:
    """Return what a terminal gets, without our own colours, as one line."""
    out = io.StringIO()
    Console(file=out, width=400, force_terminal=True, color_system=None, highlight=False).print(renderable)
    return out.getvalue().replace("\n", " ")


#: A row for each table of the terminal, in which every text is the same.
ROWS: dict[str, Any] = {
    "QUEUES": lambda x: {
        "name": x, "waiting": 1, "active": 1, "delayed": 0, "paused": True, "pressure": x, "outage": False,
        "oldestWaiting": 1.0, "cooldown": 0.0,
    },
    "HISTORY": lambda x: {"name": x},
    "WORKERS": lambda x: {
        "id": x, "host": x, "pid": 1, "running": 1, "slots": 2, "up": 1, "at": 1, "started": 0, "age": 0.1,
    },
    "FAILURES": lambda x: {
        "queue": x, "kind": x, "code": x, "count": 1, "more": False, "ago": 1.0, "growing": True, "note": x,
    },
    "JOBS": lambda x: {
        "id": x, "queue": x, "kind": x, "seconds": 1.0, "attempt": 1, "of": 2, "progress": None, "worker": x,
    },
}  # fmt: skip


def test_every_table_of_the_terminal_has_a_row_here():
    lists = {name for name, value in vars(columns).items() if name.isupper() and isinstance(value, list)}
    assert {name for name in lists if not name.startswith("_")} == ROWS.keys()


@hostile
@pytest.mark.parametrize("table", ROWS)
def test_table_of_the_terminal_shows_texts_as_they_are(table: str, text: str):
    assert_inert(drawn(tables.table(getattr(columns, table), [ROWS[table](text)], width=400)), text)


@hostile
def test_warning_and_message_of_the_terminal_are_shown_as_they_are(text: str):
    warnings = {"warnings": [{"level": "warning", "text": text}]}
    assert_inert(drawn(tables.warnings(warnings, 5)), text)
    assert_inert(drawn(tables.literal(text, "bold red")), text)


@hostile
def test_command_writes_one_inert_line(text: str):
    out = io.StringIO()
    HelpfulCommand(stdout=out).write(f"Retried {text}")
    assert_inert(out.getvalue().removesuffix("\n"), text)


@hostile
def test_error_of_a_command_is_one_inert_line(text: str):
    with pytest.raises(CommandError) as raised, command_errors():
        raise QueueingError(text)
    assert_inert(str(raised.value), text)


@hostile
@pytest.mark.parametrize("part", ["name", "message", "argument"])
def test_log_record_is_one_inert_line(part: str, text: str):
    parts: dict[str, Any] = {"name": "a.logger", "message": "about %s", "argument": "x"} | {part: text}
    arguments = (parts["argument"],) if "%s" in parts["message"] else ()
    record = logging.LogRecord(parts["name"], logging.INFO, "", 0, parts["message"], arguments, None)
    assert_inert(LineFormatter("{asctime} {levelname} {name}: {message}", style="{").format(record), text)


@hostile
def test_traceback_in_the_log_cannot_look_like_a_record(text: str):
    error = ValueError(f"{text}\n2026-01-01 00:00:00 INFO forged: all is well")
    record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), (ValueError, error, None))
    first, *others = LineFormatter("{levelname} {message}", style="{").format(record).split("\n")
    assert first == "ERROR failed"
    assert others
    assert all(line.startswith("  ") and line.isprintable() for line in others)
