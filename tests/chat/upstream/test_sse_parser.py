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


@pytest.mark.parametrize("data", [b"{this is not JSON", b'"\xff"'])
def test_invalid_json_raises_after_earlier_events(data: bytes) -> None:
    events = SSEParser().feed(b"data: 1\n\ndata: " + data + b"\n\n")
    assert next(events) == 1
    with pytest.raises(ValueError, match=r"Expecting|decode"):
        next(events)


# --- K5, K7: ends and beginnings of bodies --------------------------------------------------------


def parse_all(*chunks: bytes) -> list[Any]:
    """Return all events of a body."""
    parser = SSEParser()
    return [value for chunk in chunks for value in parser.feed(chunk)] + list(parser.finish())


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r", b"\n\n", b"\r\r"])
def test_last_event_without_its_blank_line_is_read_at_the_end(end: bytes) -> None:
    assert parse_all(b'data: 1\n\ndata: {"a": 2}' + end) == [1, {"a": 2}]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n"])
def test_done_is_noticed_with_and_without_its_blank_line(end: bytes) -> None:
    parser = SSEParser()
    events = list(parser.feed(b"data: 1\n\ndata: [DONE]" + end)) + list(parser.finish())
    assert (events, parser.is_done) == ([1], True)


def test_last_event_that_was_cut_off_is_dropped() -> None:
    assert parse_all(b'data: 1\n\ndata: {"a": ') == [1]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_byte_order_mark_comments_and_heartbeats_are_skipped(size: int) -> None:
    text = (
        b"\xef\xbb\xbfdata: 1\n\n: OPENROUTER PROCESSING\n\ndata:\n\ndata: \n\nid: 7\nretry: 5\n\ndata: 2\n\n"
    )
    assert parse_all(*(text[i : i + size] for i in range(0, len(text), size))) == [1, 2]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_json_document_in_place_of_a_stream_is_its_only_event(indent: int | None, size: int) -> None:
    value = {"choices": [{"message": {"content": "data: no event\n\nät all"}}]}
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode() + b"\n"
    parser = SSEParser()
    events = [v for i in range(0, len(text), size) for v in parser.feed(text[i : i + size])]
    assert (events + list(parser.finish()), parser.is_document) == ([value], True)


def test_body_that_is_neither_stream_nor_json_raises() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        parse_all(b"<html><body>502 Bad Gateway</body></html>")


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b'{"message": "no", "code": 401}', {"error": {"message": "no", "code": 401}}),
        (b'{"error": {"code": 429}}', {"error": {"code": 429}}),
        (b"upstream is gone", {"error": "upstream is gone"}),
    ],
)
def test_event_named_error_is_an_error(data: bytes, event: Any) -> None:
    assert parse_all(b"event: error\ndata: " + data + b"\n\ndata: 1\n\n") == [event, 1]
