"""What a handler is given: who asks, which attempt this is, and how to say what is happening."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

#: Called by the context with an event's name (`delta`, `progress`, `log`) and its fields.
Emit = Callable[[str, dict[str, Any]], None]


@dataclass(kw_only=True)
class JobContext:
    """Handed to every handler as its first argument. All methods are quick and safe from threads."""

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
    """Await it before reading more of a stream: it ends when what was said so far is about to go out.
    Whoever reads in that rhythm does a fraction of the work of reading every token by itself, and is
    not a moment later."""
    text: str = ""
    """What this attempt has streamed so far."""
    cancelled: bool = field(default=False)
    """Coroutines are cancelled; a plain function in a thread should look here between its steps.

    Once it is set, `delta`, `progress` and `log` raise `asyncio.CancelledError`.
    """

    def delta(self, text: str) -> None:
        """Stream `text` to whoever watches. Pieces are put together before they travel."""
        self._stop_if_cancelled()
        if text:
            offset = len(self.text)
            self.text += text
            self.emit("delta", {"offset": offset, "text": text})

    def progress(self, done: int, total: int, label: str = "") -> None:
        """Say that `done` of `total` steps are done; `label` names the present one."""
        self._stop_if_cancelled()
        self.emit("progress", {"done": done, "total": total, "label": label})

    def log(self, line: str) -> None:
        """Keep a line in the job's log, for operators."""
        self._stop_if_cancelled()
        self.emit("log", {"line": line})

    def _stop_if_cancelled(self) -> None:
        if self.cancelled:
            raise asyncio.CancelledError
