"""Read JSON from a stream of server-sent events, chunk by chunk.

The SDK has its own parser. Its five layers of generators for each event cost a worker a third of its time
while many answers stream.
"""

import json
from collections.abc import Iterator
from typing import Any


class SSEParser:
    """A parser of one stream. Events may be cut anywhere; lines end with LF, CRLF or CR."""

    def __init__(self) -> None:
        self._partial_line = b""
        """The start of a line whose end has not arrived."""
        self._data: list[bytes] = []
        """The `data` lines of the current event."""
        self._done = False

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Yield the data of each event that ends in `chunk`. Everything after `[DONE]` is ignored.

        Raises `ValueError` for data that is not JSON.
        """
        *lines, self._partial_line = _lines(self._partial_line + chunk)
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:  # other fields and comments are ignored
                data, self._data = b"\n".join(self._data), []
                self._done = self._done or data.startswith(b"[DONE]")
                if not self._done:
                    yield json.loads(data.decode())


def _lines(text: bytes) -> list[bytes]:
    """Return the lines of `text` without their ends; the last one has no end yet."""
    if b"\r" not in text:
        return text.split(b"\n")
    # A CR at the very end may be the first half of a CRLF: it waits for the next chunk.
    whole, half = (text[:-1], b"\r") if text.endswith(b"\r") else (text, b"")
    lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    lines[-1] += half
    return lines
