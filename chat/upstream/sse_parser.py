"""Read JSON from a stream of server-sent events, chunk by chunk.

The SDK has its own parser. Its five layers of generators for each event cost a worker a third of its time
while many answers stream.

Servers that ignore `stream: true` answer with one JSON document instead. It is the only event then.
"""

import json
from collections.abc import Iterator
from typing import Any

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIELDS = (b"data", b"event", b"id", b"retry", b"")  # without a name it is a comment


class SSEParser:
    """A parser of one stream. Events may be cut anywhere; lines end with LF, CRLF or CR."""

    def __init__(self) -> None:
        self.is_done = False
        """Whether `[DONE]` has arrived. Everything after it is ignored."""
        self.is_document = False
        """Whether the whole body was one JSON document."""
        self._partial_line: list[bytes] = []
        """The pieces of a line whose end has not arrived."""
        self._data: list[bytes] = []
        """The `data` lines of the current event."""
        self._is_error = False
        """Whether the current event has the name `error`."""
        self._other: list[bytes] = []
        """Lines that are no fields of events."""
        self._began = self._has_events = False

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Yield the data of each event that ends in `chunk`.

        Raises `ValueError` for data that is not JSON.
        """
        self._partial_line.append(chunk)
        if b"\n" not in chunk and b"\r" not in b"".join(self._partial_line[-2:]):
            return  # joined when its end arrives: a line may come in thousands of chunks
        *lines, partial = _lines(b"".join(self._partial_line))
        self._partial_line = [partial]
        for line in lines:
            if self._began and line.startswith(b"data:"):  # the most frequent one, without a call
                self._data.append(line[5:].removeprefix(b" "))
            else:
                yield from self._take(line)

    def finish(self) -> Iterator[Any]:
        """Yield what the end of the body completes: the last event without its blank line, or the document.

        A last event that is not JSON was cut off, and is dropped. Raises `ValueError` for a body that has no
        event and is no JSON document.
        """
        rest, self._partial_line = b"".join(self._partial_line).removesuffix(b"\r"), []
        yield from self._take(rest)
        try:
            yield from self._end_event()
        except ValueError:
            return
        if not self._has_events and self._other:
            self.is_document = True
            yield json.loads(b"\n".join(self._other).decode())

    def _take(self, line: bytes) -> Iterator[Any]:
        if not self._began:
            line, self._began = line.removeprefix(_BYTE_ORDER_MARK), True
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            yield from self._end_event()
        elif line.startswith(b"event:"):
            self._is_error = line[6:].strip() == b"error"
        elif line.partition(b":")[0] not in _FIELDS and not self._has_events:
            self._other.append(line)

    def _end_event(self) -> Iterator[Any]:
        data, self._data = b"\n".join(self._data), []
        is_error, self._is_error = self._is_error, False
        if not data.strip():  # nothing, or a heartbeat
            return
        self._has_events = True
        self.is_done = self.is_done or data.startswith(b"[DONE]")
        if self.is_done:
            return
        yield _named_error(data) if is_error else json.loads(data.decode())


def _named_error(data: bytes) -> Any:
    """Return the data of an event named `error` as an object with the field `error`."""
    try:
        value = json.loads(data.decode())
    except ValueError:
        value = data.decode(errors="replace")
    return value if isinstance(value, dict) and value.get("error") else {"error": value}


def _lines(text: bytes) -> list[bytes]:
    """Return the lines of `text` without their ends; the last one has no end yet."""
    if b"\r" not in text:
        return text.split(b"\n")
    # A CR at the very end may be the first half of a CRLF: it waits for the next chunk.
    whole, half = (text[:-1], b"\r") if text.endswith(b"\r") else (text, b"")
    lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    lines[-1] += half
    return lines
