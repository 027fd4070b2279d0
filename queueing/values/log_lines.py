"""The lines of the log. Each record is one line, with any message and the ids of what it belongs to."""

import json
import logging
from contextlib import AbstractContextManager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from .cleaning import escape_unprintable


class LineFormatter(logging.Formatter):
    """A formatter that escapes what is not printed, so that no text can forge a line or control a terminal.

    The lines of a traceback follow the line of the record. They are indented.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of the record, with the ids at its end."""
        ids = " ".join(f"{name}={value}" for name, value in current_ids().items())
        return escape_unprintable(super().formatMessage(record) + (f" [{ids}]" if ids else ""))

    def formatException(self, ei: Any) -> str:
        """Return the lines of an exception."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        """Return the lines of a stack."""
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join("  " + escape_unprintable(line) for line in text.split("\n"))


class JsonFormatter(LineFormatter):
    """A formatter that writes each record as one JSON object on one line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **current_ids(),
        }
        if record.exc_info:
            fields["exception"] = super(LineFormatter, self).formatException(record.exc_info)
        return json.dumps(fields)


class _Ids:
    """A block of `log_ids`. A task that it started and that outlives it has the same object.

    Each run of a job enters one, so it does nothing that only a logged line needs.
    """

    __slots__ = ("ids", "is_over", "outer", "token")

    def __init__(self, ids: dict[str, str]) -> None:
        self.ids, self.is_over = ids, False

    def __enter__(self) -> None:
        self.outer = _current.get()
        self.token = _current.set(self)

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        _current.reset(self.token)

    def all(self) -> dict[str, str]:
        """Return the ids of this block and of those around it; none when it is over."""
        if self.is_over:
            return {}
        return {**(self.outer.all() if self.outer else {}), **self.ids}


_current: ContextVar[_Ids | None] = ContextVar("log_ids", default=None)


def log_ids(**ids: str) -> AbstractContextManager[None]:
    """Add ids, such as that of a job, to all lines that are logged in the block and in what it starts."""
    return _Ids(ids)


def add_log_ids(**ids: str) -> None:
    """Add ids that became known inside a block of `log_ids`."""
    if current := _current.get():
        current.ids.update(ids)


def current_ids() -> dict[str, str]:
    """Return the ids of what runs now, without empty ones."""
    current = _current.get()
    return {name: value for name, value in current.all().items() if value} if current else {}
