"""The first argument of every handler: facts about the job, and methods to report what happens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

#: Called by the context with an event's name (`delta`, `progress`, `log`) and its fields.
Emit = Callable[[str, dict[str, Any]], None]


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
    text: str = ""
    """The text that this attempt has streamed so far."""
    cancelled: bool = field(default=False)
    """Coroutines are cancelled; a plain function in a thread should check this between its steps.

    Once it is set, `delta`, `progress` and `log` raise `asyncio.CancelledError`.
    """

    def delta(self, text: str) -> None:
        """Stream `text` to the clients that watch the job. Short texts are sent together."""
        self._raise_if_cancelled()
        if text:
            offset = len(self.text)
            self.text += text
            self.emit("delta", {"offset": offset, "text": text})

    def progress(self, done: int, total: int, label: str = "") -> None:
        """Report that `done` of `total` steps are finished; `label` names the current one."""
        self._raise_if_cancelled()
        self.emit("progress", {"done": done, "total": total, "label": label})

    def log(self, line: str) -> None:
        """Add a line to the job's log, for operators."""
        self._raise_if_cancelled()
        self.emit("log", {"line": line})

    def _raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise asyncio.CancelledError
