"""What the provider is told to do with one request, and the list of what it was told."""

import re
import threading
from dataclasses import dataclass, field, replace
from typing import Any, Literal

#: How an answer ends, once its text (or the first `after` pieces of it) is sent.
#:   stop            as it should
#:   length          at the length limit
#:   content_filter  held back by the filter
#:   refusal         with `message` as the model's refusal
#:   error           with an error inside the stream, of `code` and `message`
#:   failed          with `response.failed` (chat completions have none: the same as `error`)
#:   cut             with the connection torn down
#:   eof             with a clean end of the body, but without the event that ends an answer
#:   stall           never
#:   garbage         with bytes that are no JSON, then a clean end
#:   hang            as it should, but the body stays open
End = Literal[
    "stop", "length", "content_filter", "refusal", "error", "failed", "cut", "eof", "stall", "garbage", "hang"
]


@dataclass(frozen=True, kw_only=True)
class Script:
    """Answer one request (or `times` of them; 0 is for ever) like this."""

    text: str | None = None
    """The answer, sent word by word; None is a sentence of some 20 words about the last user message."""
    delay: float = 0.0
    """Seconds before each word."""
    after: int | None = None
    """Words to send before the end comes; None is all."""
    end: End = "stop"

    counts: bool = True
    """Say how many tokens it was."""
    cached_tokens: int = 0
    """Of the input, how many to say were read before."""

    wait: float = 0.0
    """Seconds before the first byte."""
    until: str = ""
    """Wait until the test tells this: `provider.tell(until)`."""
    pause_after: int = 0
    """Words of the stream that are sent before that wait; 0 is nothing at all."""
    status: int = 200
    """Any other is an error answer with `headers` and a body of `code` and `message`; 0 is no answer
    at all, for ever; -1 is bytes that are no HTTP."""
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = "scripted"

    match: str = ""
    """Only for requests whose last user message (or file name) contains this."""
    model: str = ""
    """Only for requests to this model."""
    times: int = 1

    def words(self, prompt: str) -> list[str]:
        """The pieces to send in answer to `prompt`."""
        pieces = re.findall(r"\s*\S+|\s+$", self.said(prompt))
        return pieces if self.after is None else pieces[: self.after]

    def said(self, prompt: str) -> str:
        return echo(prompt) if self.text is None else self.text


def echo(prompt: str) -> str:
    """What the provider says when it was told nothing; the same every time."""
    subject = " ".join(prompt.split()[:8])
    return (
        f"You said “{subject}”. That is {len(prompt)} characters, and here is what I think of it: it will do."
    )


class Scripts:
    """The scripts not yet used, first come first served. Safe from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Script] = []

    def add(self, *scripts: Script) -> None:
        with self._lock:
            self._pending.extend(scripts)

    def add_json(self, data: dict[str, Any] | list[dict[str, Any]]) -> None:
        """Take one script or a list of them, with the fields of `Script`."""
        self.add(*[Script(**one) for one in (data if isinstance(data, list) else [data])])

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def take(self, prompt: str, model: str = "") -> Script:
        """The first script meant for `prompt` and `model`, or the default one."""
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
