"""Content in parts, and servers that do not stream (K7)."""

import json

import pytest

from queueing.api import Outage
from tests.provider.fixture import Provider

from .answer_events import DONE, chunk
from .model_requests import ask_model, request_error

PARTS = [
    [{"type": "text", "text": "All "}, {"type": "text", "text": "said."}],
    [{"text": "All said."}],
    ["All ", "said."],
    [{"type": "output_text", "text": "All said."}],
    [{"type": "text", "text": {"value": "All said."}}],
    [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "All said."}],
    {"type": "text", "text": "All said."},
    [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "All said."},
    ],
    [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "All said."}],
]


@pytest.mark.parametrize("content", PARTS)
@pytest.mark.parametrize("way", ["stream", "document"])
async def test_content_as_a_list_of_parts_is_the_answer(provider: Provider, content, way):
    message = {"role": "assistant", "content": content}
    document = json.dumps({"model": "scripted", "choices": [{"message": message, "finish_reason": "stop"}]})
    provider.script(raw=(document,) if way == "document" else (chunk(message, "stop"), DONE))
    said: list[str] = []

    reply = await ask_model(on_text=said.append)

    assert reply.text == "".join(said) == "All said."


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain"])
@pytest.mark.parametrize("indent", [None, 2])
async def test_server_that_ignores_streaming_is_read(provider: Provider, content_type, indent):
    message = {"role": "assistant", "content": "All said.\n\nData: 5", "reasoning_content": "Hm."}
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    document = {"model": "other", "choices": [{"message": message}], "usage": usage}
    provider.script(raw=(json.dumps(document, indent=indent),), content_type=content_type)
    thought: list[str] = []

    reply = await ask_model(on_thought=thought.append)

    assert (reply.text, reply.model, reply.output_tokens) == ("All said.\n\nData: 5", "other", 3)
    assert thought == ["Hm."]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"choices": [{"message": {"content": "Half"}, "finish_reason": "length"}]}, "Half"),
        ({"choices": [{"text": "All said.", "finish_reason": "stop"}]}, "All said."),
    ],
)
async def test_document_of_other_forms_is_read(provider: Provider, document, expected):
    provider.script(raw=(json.dumps(document),))

    assert (await ask_model()).text == expected


async def test_response_as_a_document_is_read(provider: Provider, settings):
    settings.OPENAI_API = "responses"
    parts = [{"type": "output_text", "text": "All said."}]
    output = [
        {"type": "reasoning", "summary": []},
        {"type": "message", "phase": "commentary", "content": [{"type": "output_text", "text": "Wait."}]},
        {"type": "message", "content": parts},
    ]
    provider.script(raw=(json.dumps({"object": "response", "status": "completed", "output": output}),))

    assert (await ask_model()).text == "All said."


async def test_page_of_a_proxy_is_unreadable(provider: Provider, api):
    provider.script(raw=("<html><body>Sign in</body></html>",), content_type="text/html")

    error = await request_error()

    assert (type(error), error.code) == (Outage, "garbled")
