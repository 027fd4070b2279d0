"""The first argument of every handler: facts about the job, and methods to report what happens."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .values.cleaning import clean_text
from .values.numbers import YEAR, is_duration

#: Called by the context with what happens (`delta`, `progress`, `thinking`, `log`, `extend`) and its fields.
Emit = Callable[[str, dict[str, Any]], None]
#: The largest whole number that every JSON parser reads exactly.
_MAX_STEPS = 2**53


@dataclass(kw_only=True)
class JobContext:
    """A run of a job as its handler sees it. All methods are quick and may be called from any thread."""

    job_id: str
    """32 hex digits."""
    kind: str
    owner: str
    request_id: str
    attempt: int
    """1 on the first try; attempts given back (cooldown, shutdown) do not count."""
    max_attempts: int
    emit: Emit
    pace: Callable[[], Awaitable[None]]
    """Await it before reading more of a stream: it returns when the engine is about to send the text so
    far. Reading in this rhythm costs a fraction of reading token by token and adds no delay."""
    token: str = ""
    """The token of the run's claim (`api.redis.run_while_claimed`)."""
    version: int = 1
    """The version of the kind with which the job was submitted; it may be older than that of this code."""
    meta: Mapping[str, str] = field(default_factory=dict)
    """The `meta` of the submission. A recurring job has its name in `recurring` and the time in `tick`."""
    queue: str = ""
    priority: int = 0
    submitted_at: datetime | None = None
    """When the job was submitted."""
    started_at: datetime | None = None
    """When this run began."""
    text: str = ""
    """The text that this attempt has streamed so far."""
    asked_provider: bool = True
    """Set it to False in a run that does without the provider of its queue: it says nothing about it."""
    cancelled: bool = field(default=False)
    """Coroutines are cancelled; a plain function in a thread should check this between its steps.

    Once it is set, `delta`, `progress`, `thinking`, `log` and `extend` raise `asyncio.CancelledError`.
    """
    _half: str = field(default="", init=False)
    """The first half of a surrogate pair, until `delta` gets the second."""

    def delta(self, text: str) -> None:
        """Stream `text` to the clients that watch the job. What comes while other text is sent waits for it.

        What cannot be stored (NUL, half a surrogate pair) is replaced. A first half waits for its second.
        """
        self._raise_if_cancelled()
        text = self._half + text
        if not text.isascii():
            self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
            text = text[: len(text) - len(self._half)]
        text = clean_text(text)
        if text:
            offset = len(self.text)
            self.text += text
            self.emit("delta", {"offset": offset, "text": text})

    def progress(self, done: int, total: int, label: str = "") -> None:
        """Report that `done` of `total` steps are finished; `label` names the current one."""
        self._raise_if_cancelled()
        fields = {"done": _number(done), "total": _number(total), "label": clean_text(label)}
        self.emit("progress", fields)

    def thinking(self, seconds: float) -> None:
        """Report that the handler has been thinking for `seconds` and has no text yet.

        It is not stored: report it again, every second or so, for clients that connect later.
        """
        self._raise_if_cancelled()
        self.emit("thinking", {"seconds": round(_number(seconds), 1)})

    def extend(self, seconds: float) -> None:
        """Let this run take `seconds` longer than its timeout allows. Each call adds to it."""
        self._raise_if_cancelled()
        if not is_duration(seconds):
            raise ValueError(f"{seconds!r} is not a number of seconds above 0, up to {YEAR} (a year)")
        self.emit("extend", {"seconds": float(seconds)})

    def log(self, line: str) -> None:
        """Add a line to the job's log, for operators."""
        self._raise_if_cancelled()
        self.emit("log", {"line": clean_text(line)})

    def _raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise asyncio.CancelledError


def _number(value: Any) -> float:
    """Return a number of steps as JSON has it. Raise `TypeError` or `ValueError` for anything else."""
    number = value if type(value) is int else float(value)
    if not abs(number) <= _MAX_STEPS:  # also true for NaN
        raise ValueError(f"{value!r} is not a number of steps")
    return number
