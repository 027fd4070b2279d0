"""The model's client against a provider that speaks the protocol, over both APIs."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chat.history import Turn
from chat.upstream import Reply, client, stream, stream_reply
from chat.upstream.reply import Draft, read_event
from queueing.errors import Cooldown, JobError, Permanent, Retry
from tests.provider.fixture import Provider
from tests.provider.script import echo

QUESTION = "What is a queue for, really?"


@pytest.fixture(params=["chat", "responses"])
def api(request, provider, settings) -> str:
    settings.OPENAI_API = request.param
    return request.param


async def ask(prompt: str = QUESTION, on_text=lambda text: None, **changes) -> Reply:
    arguments = {
        "instructions": "Be brief.",
        "turns": [Turn("user", "Hi"), Turn("assistant", "Hello."), Turn("user", prompt)],
        "thread_id": "5ca1ab1e",
        "owner": "session:ada",
        "max_output_tokens": 300,
        "on_text": on_text,
    }
    return await stream_reply(**(arguments | changes))


async def failure(**changes) -> JobError:
    """What the visitor is told and the queue is to do."""
    with pytest.raises(JobError) as caught:
        await ask(**changes)
    assert type(caught.value) in (Permanent, Retry, Cooldown)
    for secret in ("sk-", "http", "127.0.0.1", "scripted"):
        assert secret not in caught.value.message
    return caught.value


# --- what goes well -------------------------------------------------------------------------------


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
    return client.openai.AsyncOpenAI(base_url=provider.base_url, api_key=who.api_key, max_retries=0)


async def test_two_hundred_answers_at_once_do_not_mix(provider: Provider, api):
    provider.script(delay=0.01, times=0)

    replies = await asyncio.gather(*(ask(f"question number {i}") for i in range(200)))

    assert [reply.text for reply in replies] == [echo(f"question number {i}") for i in range(200)]


def test_an_answer_that_comes_whole_at_the_end_is_an_answer():
    part = {"type": "output_text", "text": "All at once."}
    response = {"output": [{"type": "reasoning"}, {"type": "message", "content": [part]}]}
    draft = Draft(model="a model")

    assert read_event(draft, {"type": "response.completed", "response": response}) == "All at once."
    assert draft.finished() == Reply("All at once.", "a model", 0, 0, truncated=False)


async def test_a_provider_that_hangs_after_the_end_costs_a_moment_and_no_answer(
    provider: Provider, api, monkeypatch
):
    monkeypatch.setattr(stream, "TAIL", 0.05)
    provider.script(text="All said.", end="hang")

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

    cancelled = time.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await provider.eventually(lambda requests: requests[0].disconnected)

    assert provider.requests[0].disconnected - cancelled < 1


async def test_cancelling_before_the_first_byte_hangs_up_within_a_second(provider: Provider, api):
    provider.script(status=0)
    task = asyncio.create_task(ask())
    await provider.eventually(lambda requests: requests)

    cancelled = time.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await provider.eventually(lambda requests: requests[0].disconnected)

    assert provider.requests[0].disconnected - cancelled < 1


async def test_an_error_of_the_listener_hangs_up_too(provider: Provider, api):
    provider.script(text="One two three", end="stall")

    def broken(text: str) -> None:
        raise RuntimeError("a bug of ours")

    await failure(on_text=broken)

    await provider.eventually(lambda requests: requests[0].disconnected)


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "told"),
    [
        (400, "", "no such parameter", Permanent, "bad_request"),
        (422, "", "", Permanent, "bad_request"),
        (401, "invalid_api_key", "Incorrect API key sk-abc", Permanent, "not_configured"),
        (403, "", "not from this country", Permanent, "not_configured"),
        (404, "model_not_found", "", Permanent, "no_model"),
        (402, "", "payment required", Permanent, "no_quota"),
        (429, "insufficient_quota", "", Permanent, "no_quota"),
        (429, "credit_balance_exhausted", "", Permanent, "no_quota"),
        (429, "project_spend_limit_exceeded", "", Permanent, "no_quota"),
        (429, "organization_usage_limit_exceeded", "", Permanent, "no_quota"),
        (429, "rate_limit_exceeded", "Request too large for this model", Permanent, "too_long"),
        (400, "context_length_exceeded", "", Permanent, "too_long"),
        (400, "", "the request exceeds the available context size", Permanent, "too_long"),
        (413, "", "", Permanent, "too_long"),
        (400, "content_filter", "", Permanent, "content_filter"),
        (400, "invalid_prompt", "", Permanent, "content_filter"),
        (429, "rate_limit_exceeded", "", Cooldown, "rate_limited"),
        (429, "", "", Cooldown, "rate_limited"),
        (503, "slow_down", "", Cooldown, "rate_limited"),
        (500, "", "", Retry, "provider_error"),
        (502, "", "", Retry, "provider_error"),
        (503, "", "Loading model", Retry, "provider_error"),
        (529, "", "overloaded", Retry, "provider_error"),
        (408, "", "", Retry, "provider_error"),
        (409, "", "", Retry, "provider_error"),
    ],
)
async def test_an_error_answer_is_told_apart(provider: Provider, api, status, code, message, kind, told):
    provider.script(status=status, code=code, message=message)

    error = await failure()

    assert (type(error), error.code) == (kind, told)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"retry-after-ms": "1500", "retry-after": "20"}, 1.5),
        ({"retry-after": "20"}, 20),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3),
        ({"retry-after": "86400"}, 300),
        ({"retry-after": "0"}, 5),
        ({"retry-after": "-3"}, 5),
        ({"retry-after": "nan"}, 5),
        ({"retry-after": "inf"}, 5),
        ({"retry-after": "in a while"}, 5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 5),
        ({}, 5),
    ],
)
@pytest.mark.parametrize("status", [429, 503, 529])
async def test_everybody_waits_as_long_as_the_provider_asks(provider: Provider, status, headers, after):
    provider.script(status=status, code="rate_limit_exceeded", headers=headers)

    error = await failure()

    assert isinstance(error, Cooldown)
    assert error.after == pytest.approx(after)


async def test_a_wait_may_be_a_date(provider: Provider):
    until = datetime.now(UTC) + timedelta(seconds=42)
    provider.script(status=429, headers={"retry-after": format_datetime(until, usegmt=True)})

    error = await failure()

    assert isinstance(error, Cooldown)
    assert 35 < error.after <= 42


@pytest.mark.parametrize("status", [503, 529])
async def test_an_overloaded_provider_that_names_a_wait_is_given_it(provider: Provider, status):
    provider.script(status=status, headers={"retry-after": "7"})

    error = await failure()

    assert isinstance(error, Cooldown)
    assert error.after == 7


async def test_a_broken_provider_that_names_a_wait_is_tried_no_sooner(provider: Provider):
    provider.script(status=500, headers={"retry-after": "7"})

    error = await failure()

    assert isinstance(error, Retry)
    assert error.after == 7


@pytest.mark.parametrize(
    ("script", "kind", "told"),
    [
        ({"end": "content_filter"}, Permanent, "content_filter"),
        ({"end": "eof"}, Retry, "cut_off"),
        ({"end": "eof", "text": ""}, Retry, "cut_off"),
        ({"end": "cut"}, Retry, "provider_unreachable"),
        ({"end": "garbage"}, Retry, "garbled"),
        ({"text": ""}, Retry, "empty_answer"),
        ({"text": " \n"}, Retry, "empty_answer"),
        ({"text": "", "end": "length"}, Permanent, "no_room"),
        ({"end": "error"}, Retry, "provider_error"),
        ({"end": "error", "code": "server_error"}, Retry, "provider_error"),
        ({"end": "error", "code": "rate_limit_exceeded"}, Cooldown, "rate_limited"),
        ({"end": "error", "code": "insufficient_quota"}, Permanent, "no_quota"),
        ({"end": "error", "code": "context_length_exceeded"}, Permanent, "too_long"),
        ({"end": "failed", "code": "server_error"}, Retry, "provider_error"),
        ({"end": "failed", "code": "rate_limit_exceeded"}, Cooldown, "rate_limited"),
        ({"end": "failed", "code": "invalid_prompt"}, Permanent, "content_filter"),
        ({"status": -1}, Retry, "garbled"),
    ],
)
async def test_an_answer_that_goes_wrong_is_told_apart(provider: Provider, api, script, kind, told):
    provider.script(**script)

    error = await failure()

    assert (type(error), error.code) == (kind, told)


async def test_a_refusal_is_told_in_the_models_own_words(provider: Provider, api):
    provider.script(text="", end="refusal", message="I can't help with lock picking.")

    error = await failure()

    assert (type(error), error.code) == (Permanent, "refused")
    assert "I can't help with lock picking." in error.message


@pytest.mark.parametrize("script", [{"end": "stall"}, {"status": 0}])
async def test_a_silent_provider_is_given_up_on(provider: Provider, api, script, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    provider.script(**script)

    error = await failure()

    assert (type(error), error.code) == (Retry, "provider_timeout")


async def test_a_provider_that_is_not_there_is_tried_again(api, settings, unused_tcp_port):
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{unused_tcp_port}/v1"

    error = await failure()

    assert (type(error), error.code) == (Retry, "provider_unreachable")


@pytest.mark.parametrize("missing", ["OPENAI_MODEL", "OPENAI_API_KEY"])
async def test_a_missing_setting_fails_at_once_without_a_call(provider: Provider, settings, missing):
    if missing == "OPENAI_API_KEY":
        settings.OPENAI_BASE_URL = ""
    setattr(settings, missing, "")

    error = await failure()

    assert (type(error), error.code) == (Permanent, "not_configured")
    assert not provider.requests


async def test_the_log_has_the_detail_but_never_the_key(provider: Provider, caplog):
    provider.script(status=500, message="boom, by sk-of-the-tests and sk-proj-42")

    await failure()

    assert "boom" in caplog.text
    assert "sk-" not in caplog.text
