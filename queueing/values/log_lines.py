"""The lines of the log. Each record is one line, with any message."""

import logging
from typing import Any

from .cleaning import escape_unprintable


class LineFormatter(logging.Formatter):
    """A formatter that escapes what is not printed, so that no text can forge a line or control a terminal.

    The lines of a traceback follow the line of the record. They are indented.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of the record."""
        return escape_unprintable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """Return the lines of an exception."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        """Return the lines of a stack."""
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join("  " + escape_unprintable(line) for line in text.split("\n"))
