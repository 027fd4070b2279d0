"""When the second model answers, and when it must not."""

import pytest

from chat.upstream import client, fallback
from queueing.api import Cooldown, Permanent, Retry, redis
from tests.chat.upstream.asking import ask, failure
from tests.provider.fixture import Provider

pytestmark = pytest.mark.usefixtures("valkey")

WORDS = "The quick brown fox"


def models(provider: Provider) -> list[str]:
    """Who was asked, in order."""
    return [request.json["model"] for request in provider.requests]


async def wake() -> None:
    """As if the first model had rested long enough."""
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
async def test_the_fallback_answers_what_the_first_could_not(provider: Provider, api, script, monkeypatch):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    provider.script(model="scripted", **script)

    reply = await ask()

    assert (reply.model, reply.by_fallback) == ("second", True)
    assert models(provider) == ["scripted", "second"]


@pytest.mark.parametrize(
    ("script", "kind", "told"),
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
async def test_what_another_model_would_do_no_better_is_not_asked_of_it(
    provider: Provider, script, kind, told
):
    provider.script(message="no", **script)

    error = await failure()

    assert (type(error), error.code) == (kind, told)
    assert models(provider) == ["scripted"]


@pytest.mark.parametrize("end", ["cut", "eof", "stall"])
async def test_an_answer_that_has_begun_is_never_finished_by_another(
    provider: Provider, api, end, monkeypatch
):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.2)
    provider.script(text=WORDS, after=2, end=end)
    heard: list[str] = []

    error = await failure(on_text=heard.append)

    assert isinstance(error, Retry)
    assert "".join(heard) == "The quick"
    assert models(provider) == ["scripted"]
    # The next try is the other one's, from the first word.
    assert (await ask()).model == "second"


async def test_the_first_model_rests_for_everybody_and_comes_back(provider: Provider):
    provider.script(model="scripted", status=429, headers={"retry-after": "20"})

    for _ in range(5):
        await ask()
    assert models(provider) == ["scripted"] + ["second"] * 5
    left = await redis.aclient().pttl((await redis.aclient().keys("*rests*"))[0])
    assert 15_000 < left <= 20_000

    await wake()
    assert (await ask()).model == "scripted"


async def test_a_rest_is_not_shortened_by_what_others_hear(provider: Provider):
    who = client.Provider.from_settings()
    trouble = Retry("", code="provider_error")
    await fallback._let_rest(who, 100, trouble)
    await fallback._let_rest(who, 10, trouble)

    left = await fallback._resting(who)
    assert isinstance(left, Cooldown)
    assert left.after > 90


@pytest.mark.parametrize(
    ("script", "kind", "told"),
    [
        ({"status": 500}, Retry, "provider_error"),
        ({"status": 429, "headers": {"retry-after": "4"}}, Cooldown, "rate_limited"),
        ({"status": 400, "code": "content_filter"}, Permanent, "content_filter"),
    ],
    ids=str,
)
async def test_when_the_fallback_fails_too_its_failure_counts(provider: Provider, script, kind, told):
    provider.script(model="scripted", status=500)
    provider.script(model="second", **script)

    error = await failure()

    assert (type(error), error.code) == (kind, told)


@pytest.mark.parametrize("script", [{"status": 404}, {"status": 401}, {"status": 400}], ids=str)
async def test_a_fallback_that_is_set_up_wrongly_is_no_worse_than_none(provider: Provider, script):
    provider.script(model="scripted", status=429, headers={"retry-after": "20"})
    provider.script(model="second", times=0, **script)

    first = await failure()
    while_resting = await failure()

    assert isinstance(first, Cooldown)
    assert first.after == 20
    assert isinstance(while_resting, Cooldown)
    assert 15 < while_resting.after <= 20


async def test_the_fallback_may_be_elsewhere_and_is_given_its_own_key_alone(
    provider: Provider, settings, unused_tcp_port
):
    settings.OPENAI_FALLBACK_BASE_URL = provider.base_url
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{unused_tcp_port}/v1"
    who = client.Provider.fallback()
    assert who is not None
    assert (who.base_url, who.api_key) == (provider.base_url, "none")

    assert (await ask()).model == "second"

    settings.OPENAI_FALLBACK_API_KEY = "sk-another"
    assert client.Provider.fallback().api_key == "sk-another"


async def test_without_redis_each_call_finds_out_for_itself(provider: Provider, valkey, settings):
    settings.QUEUEING = settings.QUEUEING | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    provider.script(model="scripted", status=500, times=2)

    await ask()
    await ask()

    assert models(provider) == ["scripted", "second"] * 2
