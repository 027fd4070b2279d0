"""Scripts: how the provider answers one request, and the queue of scripts."""

import re
import threading
from dataclasses import dataclass, field, replace
from typing import Any, Literal

#: How an answer ends, after its text (or the first `after` words of it) is sent.
#:   stop            normally
#:   length          at the length limit
#:   content_filter  blocked by the content filter
#:   refusal         with `message` as the model's refusal
#:   error           with an error inside the stream, with `code` and `message`
#:   failed          with `response.failed` (chat completions have none: the same as `error`)
#:   cut             with an aborted connection
#:   eof             with a clean end of the body, but without the event that ends an answer
#:   stall           never
#:   garbage         with bytes that are not JSON, then a clean end
#:   hang            normally, but the body stays open
End = Literal[
    "stop", "length", "content_filter", "refusal", "error", "failed", "cut", "eof", "stall", "garbage", "hang"
]


@dataclass(frozen=True, kw_only=True)
class Script:
    """The answer to one request, or to `times` requests (0 means all)."""

    text: str | None = None
    """The answer, sent word by word; None means a sentence of about 20 words about the last user message."""
    delay: float = 0.0
    """Seconds before each word."""
    after: int | None = None
    """Words to send before the end; None means all."""
    end: End = "stop"
    finish: str = ""
    """The reason of a normal end, in the provider's own word. Chat completions only."""
    raw: tuple[str, ...] = ()
    """Sent instead of all that, each as one chunk (Latin-1). Only the ends `cut` and `stall` count then."""
    content_type: str = "text/event-stream"
    thoughts: str = ""
    """What the model thinks before its answer, sent word by word in the fields that the API has for it."""

    counts: bool = True
    """Send token counts."""
    cached_tokens: int = 0
    """The number of cached input tokens to report."""

    wait: float = 0.0
    """Seconds before the first byte."""
    until: str = ""
    """Wait until the test calls `provider.release(until)`."""
    pause_after: int = 0
    """Words of the stream to send before that wait; 0 sends nothing before."""
    status: int = 200
    """Another status is an error answer with `headers`, `code` and `message`; 0 never answers; -1 sends bytes
    that are not HTTP."""
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = "scripted"

    match: str = ""
    """Use the script only for requests whose last user message (or file name) contains this."""
    model: str = ""
    """Use the script only for requests to this model."""
    times: int = 1

    def words(self, prompt: str) -> list[str]:
        """Return the pieces of the answer to `prompt`."""
        pieces = split(self.answer(prompt))
        return pieces if self.after is None else pieces[: self.after]

    def answer(self, prompt: str) -> str:
        """Return the text of the answer to `prompt`."""
        return echo(prompt) if self.text is None else self.text


def split(text: str) -> list[str]:
    """Return the words of `text`, each with the white space before it."""
    return re.findall(r"\s*\S+|\s+$", text)


def echo(prompt: str) -> str:
    """Return the default answer, which depends only on `prompt`."""
    subject = " ".join(prompt.split()[:8])
    return (
        f"You said “{subject}”. That is {len(prompt)} characters, and here is what I think of it: it will do."
    )


class Scripts:
    """A thread-safe queue of unused scripts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Script] = []

    def add(self, *scripts: Script) -> None:
        with self._lock:
            self._pending.extend(scripts)

    def add_json(self, data: dict[str, Any] | list[dict[str, Any]]) -> None:
        """Add one script or a list of them, as objects with the fields of `Script`."""
        self.add(*[Script(**one) for one in (data if isinstance(data, list) else [data])])

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def take(self, prompt: str, model: str = "") -> Script:
        """Remove and return the first script that matches `prompt` and `model`, or the default script."""
        with self._lock:
            for i, script in enumerate(self._pending):
                if script.match not in prompt or script.model not in ("", model):
                    continue
                if script.times == 1:
                    del self._pending[i]
                elif script.times > 1:
                    self._pending[i] = replace(script, times=script.times - 1)
                return script
        return Script()
