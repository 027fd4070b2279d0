"""The parser of server-sent events, compared with the SDK's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from chat.upstream.sse_parser import SSEParser

VALUES = st.one_of(
    st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3),
    st.text(max_size=20),
    st.integers(),
)
FIELDS = st.sampled_from(
    [b": a comment", b":", b"event: response.created", b"id: 7", b"retry: 10", b"nonsense"]
)
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


def split_json(value: Any) -> list[bytes]:
    """Return the data lines of an event; a value may have several, split at JSON's line breaks."""
    return [
        b"data: " + line for line in json.dumps(value, indent=1, ensure_ascii=False).encode().split(b"\n")
    ]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], bool]:
    """Draw the chunks of a stream, and whether its lines end with a bare CR."""
    end = draw(LINE_ENDS)
    text = b""
    for value in draw(st.lists(VALUES, max_size=5)):
        lines = draw(st.lists(FIELDS, max_size=2)) + split_json(value)
        text += b"".join(line + end for line in lines) + end
    text += draw(
        st.sampled_from([b"", b"data: [DONE]" + end * 2 + b"data: 1" + end * 2, b"data: {", b"data: 1" + end])
    )
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[i:j] for i, j in zip([0, *cuts], [*cuts, len(text)], strict=True)], end == b"\r"


def parsed_by_sdk(chunks: list[bytes]) -> list[Any]:
    found = []
    for event in SSEDecoder().iter_bytes(iter(chunks)):
        if event.data.startswith("[DONE]"):
            break
        if event.data:
            found.append(event.json())
    return found


@given(streams())
def test_stream_cut_anywhere_parses_like_the_sdk(stream: tuple[list[bytes], bool]) -> None:
    chunks, bare_cr = stream
    parser = SSEParser()
    found = [value for chunk in chunks for value in parser.feed(chunk)]
    if bare_cr:  # the last CR could have been half of a CRLF until the stream ended
        found += list(parser.feed(b"\n"))
    assert found == parsed_by_sdk(chunks)


def test_event_is_yielded_with_its_last_byte() -> None:
    parser = SSEParser()
    assert list(parser.feed(b'data: {"a": 1}\n\nda')) == [{"a": 1}]
    assert list(parser.feed(b'ta:{"b": 2}\r\n\r')) == []
    assert list(parser.feed(b"\n")) == [{"b": 2}]


@pytest.mark.parametrize("data", [b"{this is not JSON", b'"\xff"', b""])
def test_invalid_json_raises_after_earlier_events(data: bytes) -> None:
    events = SSEParser().feed(b"data: 1\n\ndata: " + data + b"\n\n")
    assert next(events) == 1
    with pytest.raises(ValueError, match=r"Expecting|decode"):
        next(events)
