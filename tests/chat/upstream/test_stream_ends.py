"""Where an answer ends, in the dialects of many servers (K5)."""

import pytest

from chat.upstream import draft, stream
from queueing.api import Retry
from tests.provider.fixture import Provider

from .answer_events import DONE, SAID, STOP, chunk, event
from .model_requests import ask_model, request_error


@pytest.mark.parametrize(
    "body",
    [
        SAID + DONE,
        SAID + "data: [DONE]",
        SAID + STOP,
        SAID + STOP.rstrip(),
        SAID + STOP + "data: [DONE]\r",
        chunk({"content": "All "}) + chunk({"content": "said."}, "stop").rstrip(),
        (SAID + STOP + DONE).replace("\n", "\r\n"),
        (SAID + STOP + DONE).replace("\n", "\r"),
        "\xef\xbb\xbf" + SAID + DONE,
        ": hello\n\n" + SAID + ": ping\n\ndata:\n\n" + STOP,
        (SAID + STOP).replace(', "finish', ',\ndata: "finish'),
        SAID + chunk(finish="") + chunk(finish="STOP"),
        SAID + chunk(finish="eos"),
        SAID + chunk(finish="end_turn"),
        SAID + chunk(finish="tool_calls"),
    ],
)
@pytest.mark.parametrize("size", [7, 10_000])
async def test_complete_stream_in_any_dialect_is_the_answer(provider: Provider, body, size):
    provider.script(raw=tuple(body[i : i + size] for i in range(0, len(body), size)))

    reply = await ask_model()

    assert (reply.text, reply.truncated) == ("All said.", False)


@pytest.mark.parametrize(
    "script",
    [
        {"raw": (SAID,)},
        {"raw": (SAID, 'data: {"choices": [{"delta": {}, "finish_rea')},
        {"raw": (SAID, "data: [DO")},
        {"raw": (SAID,), "end": "cut"},
    ],
)
async def test_stream_that_breaks_off_is_no_answer(provider: Provider, script):
    provider.script(**script)
    said: list[str] = []

    error = await request_error(on_text=said.append)

    assert (type(error), error.code) == (Retry, "cut_off")
    assert "".join(said) == "All said."


async def test_connection_cut_after_the_end_keeps_the_answer(provider: Provider):
    provider.script(raw=(SAID, STOP.rstrip()), end="cut")

    assert (await ask_model()).text == "All said."


async def test_responses_stream_that_ends_with_done_is_the_answer(provider: Provider, settings):
    settings.OPENAI_API = "responses"
    provider.script(raw=(event("response.output_text.delta", delta="All said."), DONE))

    assert (await ask_model()).text == "All said."


@pytest.mark.parametrize("end", [STOP, ""])
async def test_answer_without_end_is_cut_at_a_maximum(provider: Provider, monkeypatch, end):
    """S11: a server that keeps to no length limit fills no memory."""
    monkeypatch.setattr(draft, "MAX_CHARACTERS", 1_000)
    monkeypatch.setattr(stream, "TAIL_TIMEOUT", 0.2)
    words = chunk({"content": "and on "})
    provider.script(raw=(words * 300 + end,), end="stop" if end else "stall")

    reply = await ask_model()

    assert reply.truncated
    assert 900 < len(reply.text) <= 1_000
