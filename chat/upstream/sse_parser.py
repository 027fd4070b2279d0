"""The JSON in a stream of server-sent events, taken out of its bytes as they arrive.

The SDK does this, too, in five layers of generators for each event, which cost a worker a third of
its time while many answers stream.
"""

import json
from collections.abc import Iterator
from typing import Any


class EventReader:
    """One stream's. Events may be cut anywhere; lines end with LF, CRLF or CR."""

    def __init__(self) -> None:
        self._rest = b""
        """The beginning of a line."""
        self._data: list[bytes] = []
        """The `data` lines of the event that is being read."""
        self._over = False

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """What the events that end in `chunk` carry, up to `[DONE]`; all after that is passed over.

        Raises `ValueError` where that is no JSON.
        """
        *lines, self._rest = _lines(self._rest + chunk)
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:  # other fields, and comments, say nothing to us
                data, self._data = b"\n".join(self._data), []
                self._over = self._over or data.startswith(b"[DONE]")
                if not self._over:
                    yield json.loads(data.decode())


def _lines(text: bytes) -> list[bytes]:
    """The lines of `text` without their ends; the last is what has no end yet."""
    if b"\r" not in text:
        return text.split(b"\n")
    # A CR at the very end may be half of a CRLF: it waits for what comes next.
    whole, half = (text[:-1], b"\r") if text.endswith(b"\r") else (text, b"")
    lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    lines[-1] += half
    return lines
