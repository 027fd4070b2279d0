"""Thoughts in the fields, parts and tags of many servers (K8)."""

import pytest

from chat.upstream import client, stream, thoughts
from tests.provider.fixture import Provider

from .answer_events import DONE, SAID, STOP, chunk, event
from .model_requests import ask_model, request_error


@pytest.fixture(autouse=True)
def forget_models():
    thoughts.STARTS_INSIDE.clear()


THOUGHTS = {
    "reasoning_content": (chunk({"reasoning_content": "Let me "}), chunk({"reasoning_content": "see."})),
    "reasoning": (chunk({"reasoning": "Let me see."}),),
    "both": (chunk({"reasoning": "Let me see.", "reasoning_details": [{"text": "Let me see."}]}),),
    "details": (chunk({"reasoning_details": [{"type": "reasoning.text", "text": "Let me see."}]}),),
    "summary": (chunk({"reasoning_details": [{"type": "reasoning.summary", "summary": "Let me see."}]}),),
    "tags": (chunk({"content": "<thi"}), chunk({"content": "nk>Let me see.</think>\n\n"})),
    "parts": (chunk({"content": [{"type": "thinking", "thinking": "Let me see."}]}),),
}


@pytest.mark.parametrize("dialect", THOUGHTS)
async def test_thoughts_are_kept_apart_from_the_answer(provider: Provider, dialect):
    provider.script(raw=(*THOUGHTS[dialect], SAID, STOP, DONE))
    said: list[str] = []
    thought: list[str] = []

    reply = await ask_model(on_text=said.append, on_thought=thought.append)

    assert (reply.text, "".join(said), "".join(thought)) == ("All said.", "All said.", "Let me see.")


async def test_thoughts_of_a_response_are_kept_apart(provider: Provider, settings):
    settings.OPENAI_API = "responses"
    provider.script(
        raw=(
            event("response.output_item.added", item={"id": "rs_1", "type": "reasoning"}),
            event("response.reasoning_summary_text.delta", item_id="rs_1", delta="Let me see."),
            event("response.output_item.added", item={"id": "m_1", "type": "message", "phase": "commentary"}),
            event("response.output_text.delta", item_id="m_1", delta=" Looking."),
            event("response.output_text.delta", item_id="m_2", delta="All said."),
            event("response.completed", response={"status": "completed", "output": []}),
        )
    )
    thought: list[str] = []

    reply = await ask_model(on_thought=thought.append)

    assert (reply.text, thought) == ("All said.", ["", "Let me see.", " Looking."])


async def test_thoughts_that_use_up_the_limit_leave_no_answer(provider: Provider):
    provider.script(raw=(chunk({"content": "<think>Let me see"}), chunk(finish="length"), DONE))
    said: list[str] = []

    error = await request_error(on_text=said.append)

    assert (error.code, said) == ("no_room", [])


async def test_thoughts_that_are_never_closed_are_the_answer(provider: Provider):
    provider.script(raw=(chunk({"content": "<think>All said."}), STOP, DONE))

    assert (await ask_model()).text == "All said."


async def test_model_that_starts_inside_thoughts_is_remembered(provider: Provider):
    body = (chunk({"content": "Let me see.\n</think>\n\n"}), SAID, STOP, DONE)
    provider.script(raw=body)
    provider.script(raw=body)
    first: list[str] = []
    second: list[str] = []

    assert (await ask_model(on_text=first.append)).text == "All said."
    assert (await ask_model(on_text=second.append)).text == "All said."

    assert "".join(first).startswith("Let me see.")
    assert "".join(second) == "All said."

    provider.script(raw=(SAID, STOP, DONE))  # it thinks no more
    assert (await ask_model()).text == "All said."
    assert not thoughts.STARTS_INSIDE


async def test_estimated_usage_counts_thoughts(provider: Provider):
    provider.script(raw=(chunk({"reasoning": "hm " * 300}), SAID, STOP, DONE))

    assert (await ask_model()).output_tokens > 250


@pytest.mark.parametrize("number", [1, 2])
async def test_effort_is_sent_and_left_out_where_it_is_refused(provider: Provider, api, number, monkeypatch):
    monkeypatch.setattr(stream, "_WITHOUT_EFFORT", set())
    for _ in range(number - 1):
        provider.script(status=400, message="Unsupported parameter: reasoning effort")
    for _ in range(2):
        assert (await ask_model(effort="low")).text

    sent = [
        request.json.get("reasoning_effort" if api == "chat" else "reasoning")
        for request in provider.requests
    ]
    effort = "low" if api == "chat" else {"effort": "low"}
    assert sent == ([effort, effort] if number == 1 else [effort, None, None])


async def test_room_for_thoughts_is_added_to_the_limit(provider: Provider, api):
    await ask_model(thinking_tokens=5000)

    assert provider.requests[0].json["max_tokens" if api == "chat" else "max_output_tokens"] == 5300


async def test_model_with_room_for_thoughts_may_be_silent_for_longer(provider: Provider, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.1)
    for _ in range(2):
        provider.script(text="All said.", wait=0.4)

    assert (await ask_model(thinking_tokens=1)).text == "All said."
    assert (await request_error()).code == "provider_timeout"


async def test_surrogate_pair_in_two_pieces_is_one_character(provider: Provider):
    provider.script(raw=(chunk({"content": "Yes \ud83d"}), chunk({"content": "\ude00 no"}), STOP))

    assert (await ask_model()).text == "Yes \U0001f600 no"
