"""The model's client against a provider that speaks the protocol, over both APIs: what goes well."""

import asyncio
import subprocess
import sys

import openai

from chat.upstream import Reply, client, stream
from chat.upstream.parse import Draft, read_event
from tests.provider.fixture import Provider
from tests.provider.script import echo

from .asking import QUESTION, ask, cancelled, failure


async def test_the_pieces_together_are_the_answer_to_the_letter(provider: Provider, api):
    text = "“Ça va?”  he said,\n\n\ttwice — 你好 🙂 \\n {not: json} \n"
    provider.script(text=text)
    pieces: list[str] = []

    reply = await ask(on_text=pieces.append)

    assert "".join(pieces) == reply.text == text
    assert len(pieces) > 5
    assert reply == Reply(text, "scripted", 11, len(pieces), truncated=False)


async def test_an_answer_cut_at_its_limit_is_kept_and_said_to_be_truncated(provider: Provider, api):
    provider.script(text="It was the best of", end="length")

    reply = await ask()

    assert reply.text == "It was the best of"
    assert reply.truncated


async def test_characters_no_database_takes_are_left_out(provider: Provider, api):
    provider.script(text="Half \ud83d and nul \0 end")

    assert (await ask()).text == "Half ? and nul  end"


async def test_the_whole_conversation_is_sent_in_the_words_of_each_api(provider: Provider, api):
    await ask()

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


async def test_parameters_of_openai_alone_are_not_sent_to_others(provider: Provider, api):
    await ask()

    body = provider.requests[0].json
    assert not {"safety_identifier", "prompt_cache_key", "max_completion_tokens"} & body.keys()


async def test_openai_itself_is_told_who_asks_but_only_as_a_hash(provider: Provider, settings, monkeypatch):
    settings.OPENAI_BASE_URL = ""
    monkeypatch.setattr(client, "OPENAI_URL", provider.base_url.replace("127.0.0.1", "eu.openai.com"))
    monkeypatch.setattr(client, "_new_client", lambda who: _sdk(provider, who))

    await ask()

    assert provider.requests[0].path == "/v1/responses"
    body = provider.requests[0].json
    assert body["prompt_cache_key"] == "5ca1ab1e"
    assert len(body["safety_identifier"]) == 64
    assert "ada" not in str(body)


def _sdk(provider: Provider, who: client.Provider):
    return openai.AsyncOpenAI(base_url=provider.base_url, api_key=who.api_key, max_retries=0)


async def test_two_hundred_answers_at_once_do_not_mix(provider: Provider, api):
    provider.script(delay=0.01, times=0)

    replies = await asyncio.gather(*(ask(f"question number {i}") for i in range(200)))

    assert [reply.text for reply in replies] == [echo(f"question number {i}") for i in range(200)]


async def test_what_the_provider_had_read_before_is_told(provider: Provider, api):
    provider.script(cached_tokens=8)

    assert (await ask()).cached_tokens == 8


async def test_a_provider_that_counts_no_tokens_has_them_estimated(provider: Provider, api):
    provider.script(text="It was the best of times.", counts=False)

    reply = await ask()

    assert reply.estimated
    assert 5 <= reply.output_tokens <= 12
    assert 20 <= reply.input_tokens <= 60


def test_an_answer_that_comes_whole_at_the_end_is_an_answer():
    part = {"type": "output_text", "text": "All at once."}
    response = {"output": [{"type": "reasoning"}, {"type": "message", "content": [part]}]}
    draft = Draft(model="a model")

    assert read_event(draft, {"type": "response.completed", "response": response}) == "All at once."
    assert draft.finished().text == "All at once."


async def test_a_provider_that_hangs_after_the_end_costs_a_moment_and_no_answer(
    provider: Provider, api, monkeypatch
):
    monkeypatch.setattr(stream, "TAIL", 0.05)
    provider.script(text="All said.", end="hang")

    async with asyncio.timeout(10):  # the read timeout is 60 s
        assert (await ask()).text == "All said."


async def test_a_server_without_tls_gets_a_new_connection_each_time(provider: Provider, api):
    for _ in range(3):
        await ask()

    assert len({request.peer for request in provider.requests}) == 3


async def test_a_connection_is_used_again_where_making_one_is_dear(provider: Provider, api, monkeypatch):
    monkeypatch.setattr(client, "PLAIN_HEADERS", {})  # as if there were TLS

    for _ in range(3):
        await ask()

    assert len({request.peer for request in provider.requests}) == 1


# --- the client -----------------------------------------------------------------------------------


def test_a_loop_has_one_client_which_is_closed_with_it(provider: Provider):
    clients = []

    async def look():
        who = client.Provider.from_settings()
        first, second = await asyncio.gather(client.client_for(who), client.client_for(who))
        assert first is second
        clients.append(first)
        await ask()
        assert not first.is_closed()

    asyncio.run(look())
    asyncio.run(look())

    assert clients[0] is not clients[1]
    assert all(one.is_closed() for one in clients)
    assert not client._held


async def test_cancelling_an_answer_hangs_up_within_a_second(provider: Provider, api):
    provider.script(text="One two three", end="stall")
    heard = asyncio.Event()
    task = asyncio.create_task(ask(on_text=lambda text: heard.set()))
    await heard.wait()
    await cancelled(task, provider)


async def test_cancelling_before_the_first_byte_hangs_up_within_a_second(provider: Provider, api):
    provider.script(status=0)
    task = asyncio.create_task(ask())
    await provider.eventually(lambda requests: requests)
    await cancelled(task, provider)


async def test_an_error_of_the_listener_hangs_up_too(provider: Provider, api):
    provider.script(text="One two three", end="stall")

    def broken(text: str) -> None:
        raise RuntimeError("a bug of ours")

    await failure(on_text=broken)

    await provider.eventually(lambda requests: requests[0].disconnected)


def test_a_web_server_does_not_load_the_sdk_and_a_cluster_does_before_it_forks():
    code = (
        "import sys; import buddy.asgi\n"
        "assert 'openai' not in sys.modules\n"
        "from queueing.conf import get_conf\n"
        "assert 'openai' in get_conf().preload\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
