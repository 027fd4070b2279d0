"""The model's client against a provider that speaks the protocol, over both APIs: requests that succeed."""

import asyncio
import subprocess
import sys

import openai

from chat.upstream import ModelReply, client, stream
from chat.upstream.draft import Draft
from chat.upstream.parse import read_event
from tests.provider.fixture import Provider
from tests.provider.script import echo

from .model_requests import QUESTION, ask_model, check_cancel_disconnects, request_error


async def test_pieces_joined_equal_the_answer(provider: Provider, api):
    text = "“Ça va?”  he said,\n\n\ttwice — 你好 🙂 \\n {not: json} \n"
    provider.script(text=text)
    pieces: list[str] = []

    reply = await ask_model(on_text=pieces.append)

    assert "".join(pieces) == reply.text == text
    assert len(pieces) > 5
    assert reply == ModelReply(text, "scripted", 11, len(pieces), truncated=False)


async def test_answer_at_length_limit_is_marked_truncated(provider: Provider, api):
    provider.script(text="It was the best of", end="length")

    reply = await ask_model()

    assert reply.text == "It was the best of"
    assert reply.truncated


async def test_characters_invalid_for_databases_are_removed(provider: Provider, api):
    provider.script(text="Half \ud83d and nul \0 end")

    assert (await ask_model()).text == "Half \ufffd and nul  end"


async def test_conversation_is_sent_in_the_format_of_each_api(provider: Provider, api):
    await ask_model()

    assert provider.requests[0].authorised
    body = provider.requests[0].json
    if api == "chat":
        assert provider.requests[0].path == "/v1/chat/completions"
        assert [(m["role"], m["content"]) for m in body["messages"]] == [
            ("system", "Be brief."),
            ("user", "Hi"),
            ("assistant", "Hello."),
            ("user", QUESTION),
        ]
        assert body["max_tokens"] == 300
    else:
        assert provider.requests[0].path == "/v1/responses"
        assert body["instructions"] == "Be brief."
        assert body["input"][1]["content"] == [{"type": "output_text", "text": "Hello."}]
        assert body["max_output_tokens"] == 300
        assert body["store"] is False


async def test_openai_parameters_are_not_sent_to_other_servers(provider: Provider, api):
    await ask_model()

    body = provider.requests[0].json
    assert not {"safety_identifier", "prompt_cache_key", "max_completion_tokens"} & body.keys()


async def test_openai_receives_the_owner_only_as_hash(provider: Provider, settings, monkeypatch):
    settings.OPENAI_BASE_URL = ""
    monkeypatch.setattr(client, "OPENAI_URL", provider.base_url.replace("127.0.0.1", "eu.openai.com"))
    monkeypatch.setattr(client, "_new_client", lambda who: _sdk(provider, who))

    await ask_model()

    assert provider.requests[0].path == "/v1/responses"
    body = provider.requests[0].json
    assert body["prompt_cache_key"] == "5ca1ab1e"
    assert len(body["safety_identifier"]) == 64
    assert "ada" not in str(body)


def _sdk(provider: Provider, who: client.Provider):
    return openai.AsyncOpenAI(base_url=provider.base_url, api_key=who.api_key, max_retries=0)


async def test_concurrent_answers_do_not_mix(provider: Provider, api):
    provider.script(delay=0.01, times=0)

    replies = await asyncio.gather(*(ask_model(f"question number {i}") for i in range(200)))

    assert [reply.text for reply in replies] == [echo(f"question number {i}") for i in range(200)]


async def test_cached_tokens_are_reported(provider: Provider, api):
    provider.script(cached_tokens=8)

    assert (await ask_model()).cached_tokens == 8


async def test_missing_token_counts_are_estimated(provider: Provider, api):
    provider.script(text="It was the best of times.", counts=False)

    reply = await ask_model()

    assert reply.estimated
    assert 5 <= reply.output_tokens <= 12
    assert 20 <= reply.input_tokens <= 60


def test_answer_only_in_final_event_is_read():
    part = {"type": "output_text", "text": "All at once."}
    response = {"output": [{"type": "reasoning"}, {"type": "message", "content": [part]}]}
    draft = Draft(model="a model")

    read_event(draft, {"type": "response.completed", "response": response})

    assert draft.finished().text == "All at once."


async def test_provider_hanging_after_the_end_keeps_the_answer(provider: Provider, api, monkeypatch):
    monkeypatch.setattr(stream, "TAIL_TIMEOUT", 0.05)
    provider.script(text="All said.", end="hang")

    async with asyncio.timeout(10):  # the read timeout is 60 s
        assert (await ask_model()).text == "All said."


async def test_plain_http_server_gets_new_connection_each_time(provider: Provider, api):
    for _ in range(3):
        await ask_model()

    assert len({request.peer for request in provider.requests}) == 3


async def test_tls_connection_is_reused(provider: Provider, api, monkeypatch):
    monkeypatch.setattr(client, "PLAIN_HEADERS", {})  # as if there were TLS

    for _ in range(3):
        await ask_model()

    assert len({request.peer for request in provider.requests}) == 1


# --- the client -----------------------------------------------------------------------------------


def test_client_is_shared_in_a_loop_and_closed_with_it(provider: Provider):
    clients = []

    async def use_client():
        own = client.Provider.from_settings()
        first, second = await asyncio.gather(client.client_for(own), client.client_for(own))
        assert first is second
        clients.append(first)
        await ask_model()
        assert not first.is_closed()

    asyncio.run(use_client())
    asyncio.run(use_client())

    assert clients[0] is not clients[1]
    assert all(one.is_closed() for one in clients)
    assert not client._clients


async def test_cancel_during_answer_disconnects_within_a_second(provider: Provider, api):
    provider.script(text="One two three", end="stall")
    first_text = asyncio.Event()
    task = asyncio.create_task(ask_model(on_text=lambda text: first_text.set()))
    await first_text.wait()
    await check_cancel_disconnects(task, provider)


async def test_cancel_before_first_byte_disconnects_within_a_second(provider: Provider, api):
    provider.script(status=0)
    task = asyncio.create_task(ask_model())
    await provider.eventually(lambda requests: requests)
    await check_cancel_disconnects(task, provider)


async def test_callback_error_disconnects(provider: Provider, api):
    provider.script(text="One two three", end="stall")

    def broken(text: str) -> None:
        raise RuntimeError("a bug of ours")

    await request_error(on_text=broken)

    await provider.eventually(lambda requests: requests[0].disconnected)


def test_sdk_is_loaded_by_clusters_only():
    code = (
        "import sys; import buddy.asgi\n"
        "assert 'openai' not in sys.modules\n"
        "from queueing.conf import get_conf\n"
        "assert 'openai' in get_conf().preload\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
