"""The fallback answers when the first model cannot, and only then."""

import pytest
from asgiref.sync import async_to_sync

from chat.upstream import client, fallback
from queueing.api import Breaker, Cooldown, Outage, Permanent, Retry, redis
from tests.chat.upstream.model_requests import ask_model, request_error
from tests.provider.fixture import Provider
from tests.support.valkey import eventually

pytestmark = pytest.mark.usefixtures("valkey")

WORDS = "The quick brown fox"


def requested_models(provider: Provider) -> list[str]:
    """Return the models of all requests, in order."""
    return [request.json["model"] for request in provider.requests]


def breaker() -> Breaker:
    """Return the first model's breaker."""
    return fallback.breaker_of(client.Provider.from_settings())


async def forget_breaker() -> None:
    """Delete the first model's breaker from Redis."""
    await redis.aclient().flushall()


@pytest.mark.parametrize(
    "script",
    [
        {"status": 500},
        {"status": 503},
        {"status": 529, "message": "overloaded"},
        {"status": 404, "code": "model_not_found"},
        {"status": 429, "code": "insufficient_quota"},
        {"status": 429, "code": "rate_limit_exceeded", "headers": {"retry-after": "20"}},
        {"status": 503, "headers": {"retry-after": "20"}},
        {"status": 0},
        {"end": "stall", "after": 0},
        {"end": "cut", "after": 0},
        {"end": "eof", "after": 0},
        {"end": "error", "after": 0, "code": "server_error"},
    ],
    ids=str,
)
async def test_failed_first_model_is_replaced_by_fallback(provider: Provider, api, script, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    provider.script(model="scripted", **script)

    reply = await ask_model()

    assert (reply.model, reply.by_fallback) == ("second", True)
    assert requested_models(provider) == ["scripted", "second"]


@pytest.mark.parametrize(
    ("script", "kind", "expected"),
    [
        ({"status": 400}, Permanent, "bad_request"),
        ({"status": 400, "code": "context_length_exceeded"}, Permanent, "too_long"),
        ({"status": 400, "code": "content_filter"}, Permanent, "content_filter"),
        ({"status": 401}, Permanent, "not_configured"),
        ({"end": "content_filter"}, Permanent, "content_filter"),
        ({"text": "", "end": "refusal"}, Permanent, "refused"),
        ({"text": "", "end": "length"}, Permanent, "no_room"),
        ({"status": 429, "headers": {"retry-after": "3"}}, Cooldown, "rate_limited"),
        ({"status": 429}, Cooldown, "rate_limited"),
    ],
    ids=str,
)
async def test_error_of_the_request_itself_skips_fallback(provider: Provider, script, kind, expected):
    provider.script(message="no", **script)

    error = await request_error()

    assert (type(error), error.code) == (kind, expected)
    assert requested_models(provider) == ["scripted"]


@pytest.mark.parametrize("end", ["cut", "eof", "stall"])
async def test_started_answer_is_not_continued_by_fallback(provider: Provider, api, end, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    provider.script(text=WORDS, after=2, end=end)
    received: list[str] = []

    error = await request_error(on_text=received.append)

    assert isinstance(error, Retry)
    assert "".join(received) == "The quick"
    assert requested_models(provider) == ["scripted"]
    # The fallback makes the next attempt, from the first word.
    assert (await ask_model()).model == "second"


async def test_cooldown_applies_to_all_calls_and_ends(provider: Provider):
    provider.script(model="scripted", status=429, headers={"retry-after": "20"})

    for _ in range(5):
        await ask_model()
    assert requested_models(provider) == ["scripted"] + ["second"] * 5
    state = await breaker().state()
    assert state.cause == "cooldown"
    assert 15 < state.next_try <= 20

    await forget_breaker()
    assert (await ask_model()).model == "scripted"


async def test_bad_request_does_not_send_others_to_the_fallback(provider: Provider):
    provider.script(match="poison", model="scripted", status=500, times=0)

    assert (await ask_model("poison", thread_id="one")).model == "second"
    assert (await ask_model("poison", thread_id="one")).model == "second"
    assert (await ask_model(thread_id="two")).model == "scripted"
    assert requested_models(provider) == ["scripted", "second", "second", "scripted"]


@pytest.mark.parametrize("script", [{"status": 503}, {"status": 0}], ids=str)
async def test_outage_is_answered_by_fallback_without_asking_the_first_model_each_time(
    provider: Provider, script, monkeypatch
):
    """K3: a fallback takes over meanwhile."""
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    provider.script(model="scripted", times=0, **script)

    for number in range(8):
        assert (await ask_model(thread_id=str(number))).model == "second"

    assert requested_models(provider).count("scripted") == 2
    assert (await breaker().state()).cause == "outage"


async def test_first_model_answers_again_after_its_outage(provider: Provider, settings):
    settings.QUEUEING = settings.QUEUEING | {"FIRST_PROBE": 0.1}
    provider.script(model="scripted", status=503, times=2)
    await ask_model(thread_id="a")
    await ask_model(thread_id="b")

    async def is_due() -> bool:
        return (await breaker().state()).next_try == 0

    await eventually(async_to_sync(is_due), "the next try to be due")
    assert (await ask_model(thread_id="c")).model == "scripted"
    assert (await breaker().state()).cause == ""


async def test_cooldown_is_not_shortened_by_later_failure(provider: Provider):
    error = Permanent("", code="no_quota")
    await breaker().report("a", error, wait=100)
    await breaker().report("b", error, wait=10)

    assert (await breaker().admit("c")).wait > 90


@pytest.mark.parametrize(
    ("script", "kind", "expected"),
    [
        ({"status": 500}, Outage, "provider_error"),
        ({"status": 429, "headers": {"retry-after": "4"}}, Cooldown, "rate_limited"),
        ({"status": 400, "code": "content_filter"}, Permanent, "content_filter"),
    ],
    ids=str,
)
async def test_failed_fallback_raises_its_own_error(provider: Provider, script, kind, expected):
    provider.script(model="scripted", status=500)
    provider.script(model="second", **script)

    error = await request_error()

    assert (type(error), error.code) == (kind, expected)


@pytest.mark.parametrize("script", [{"status": 404}, {"status": 401}, {"status": 400}], ids=str)
async def test_misconfigured_fallback_raises_first_models_error(provider: Provider, script):
    provider.script(model="scripted", status=429, headers={"retry-after": "20"})
    provider.script(model="second", times=0, **script)

    first = await request_error()
    during_cooldown = await request_error()

    assert isinstance(first, Cooldown)
    assert first.after == 20
    assert isinstance(during_cooldown, Cooldown)
    assert 15 < during_cooldown.after <= 20


async def test_fallback_at_own_address_gets_only_its_own_key(provider: Provider, settings, unused_tcp_port):
    settings.OPENAI_FALLBACK_BASE_URL = provider.base_url
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{unused_tcp_port}/v1"
    second = client.Provider.fallback()
    assert second is not None
    assert (second.base_url, second.api_key) == (provider.base_url, "none")

    assert (await ask_model()).model == "second"

    settings.OPENAI_FALLBACK_API_KEY = "sk-another"
    assert client.Provider.fallback().api_key == "sk-another"


async def test_redis_unavailable_lets_each_call_try_first_model(provider: Provider, valkey, settings):
    settings.QUEUEING = settings.QUEUEING | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    provider.script(model="scripted", status=500, times=2)

    await ask_model()
    await ask_model()

    assert requested_models(provider) == ["scripted", "second"] * 2
