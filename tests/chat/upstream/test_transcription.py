"""The call that has a recording written down, against a provider that speaks the protocol."""

import asyncio

import pytest

from chat.upstream.transcription import Transcript, transcribe, who_transcribes
from queueing.api import Cooldown, JobError, Permanent, Retry
from tests.provider.fixture import Provider

from .asking import cancelled


async def heard(**more: str) -> Transcript:
    return await transcribe(data=b"sound", file_name="recording.webm", media_type="audio/webm", **more)


async def failure() -> JobError:
    with pytest.raises(JobError) as caught:
        await heard()
    assert "scripted" not in caught.value.message
    return caught.value


async def test_the_words_come_back_clean_and_with_what_they_took(provider: Provider):
    provider.script(text=" Half \ud83d and nul \0 end\n")
    assert await heard(language="en") == Transcript(
        text="Half ? and nul  end", model="scripted-ear", seconds=3.0
    )
    assert provider.requests[0].json == {
        "model": "scripted-ear",
        "filename": "recording.webm",
        "bytes": 5,
        "language": "en",
    }


@pytest.mark.parametrize(
    ("trouble", "kind", "code"),
    [
        ({"status": 500}, Retry, "provider_error"),
        ({"status": 503}, Retry, "provider_error"),
        ({"end": "cut"}, Retry, None),
        ({"end": "garbage"}, Retry, "garbled"),
        ({"status": -1}, Retry, None),
        (
            {"status": 429, "code": "rate_limit_exceeded", "headers": {"retry-after": "7"}},
            Cooldown,
            "rate_limited",
        ),
        ({"status": 429, "code": "insufficient_quota"}, Permanent, "no_quota"),
        ({"status": 400, "code": "invalid_file"}, Permanent, "unreadable"),
        ({"status": 415}, Permanent, "unreadable"),
        ({"status": 413}, Permanent, "too_long"),
        ({"status": 401}, Permanent, "not_configured"),
        ({"status": 404}, Permanent, "no_model"),
    ],
)
async def test_each_trouble_is_told_in_the_queues_terms(provider: Provider, trouble, kind, code):
    provider.script(**trouble)

    error = await failure()

    assert type(error) is kind
    assert code in (None, error.code)
    if kind is Cooldown:
        assert error.after == 7


async def test_cancelling_hangs_up_within_a_second(provider: Provider):
    provider.script(status=0)
    task = asyncio.create_task(heard())
    await provider.eventually(lambda requests: requests)
    await cancelled(task, provider)


async def test_an_ear_of_its_own_is_asked_there_and_never_shown_the_chat_models_key(
    provider: Provider, settings
):
    settings.OPENAI_TRANSCRIPTION_BASE_URL = provider.base_url
    settings.OPENAI_BASE_URL = ""
    assert (await heard()).text
    assert who_transcribes().api_key == "none"

    settings.OPENAI_TRANSCRIPTION_API_KEY = "sk-of-the-ear"
    assert who_transcribes().api_key == "sk-of-the-ear"


async def test_without_a_model_it_is_not_configured(provider: Provider, settings):
    settings.OPENAI_TRANSCRIPTION_MODEL = ""
    assert (await failure()).code == "not_configured"
    assert not provider.requests
