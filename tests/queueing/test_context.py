"""What a handler says becomes what can be stored and sent, or is refused at the call (E8, E15)."""

import decimal
from typing import Any

import pytest

from queueing.context import JobContext


async def no_pause() -> None:
    """Return at once."""


@pytest.fixture
def said() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def ctx(said) -> JobContext:
    return JobContext(
        job_id="1" * 32,
        kind="test.noop",
        owner="",
        request_id="",
        attempt=1,
        max_attempts=1,
        emit=lambda name, fields: said.append(fields),
        pace=no_pause,
    )


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a\0b"], "a\ufffdb"),
        (["\udc00 alone"], "\ufffd alone"),
        (["smile \ud83d", "\ude00!"], "smile 😀!"),
        (["half \ud83d", " of it"], "half \ufffd of it"),
        (["\ud83d", "\ud83d", "\ude00"], "\ufffd😀"),
        (["ends \ud83d"], "ends "),
    ],
)
def test_delta_of_hostile_text_is_cleaned_and_offsets_fit(ctx, said, pieces, text):
    for piece in pieces:
        ctx.delta(piece)
    assert ctx.text == text
    assert "".join(event["text"] for event in said) == text
    assert all(text[event["offset"] :].startswith(event["text"]) for event in said)


def test_progress_takes_numbers_of_any_type(ctx, said):
    ctx.progress(decimal.Decimal("1.5"), 3, "half \ud800")
    assert said == [{"done": 1.5, "total": 3, "label": "half \ufffd"}]


@pytest.mark.parametrize("done", [float("nan"), float("inf"), 2**70, 10**400, None, "many"])
def test_progress_of_a_value_that_is_no_number_raises(ctx, said, done):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        ctx.progress(done, 3)
    assert said == []


def test_log_line_of_any_type_becomes_a_clean_text(ctx, said):
    ctx.log({"a": "\0"})
    ctx.log("\0")
    assert said == [{"line": "{'a': '\\x00'}"}, {"line": "\ufffd"}]
