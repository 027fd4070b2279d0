"""The transcription call against a provider that speaks the protocol."""

import asyncio

import pytest

from chat.upstream.transcription import Transcript, transcribe, transcription_provider
from queueing.api import Cooldown, JobError, Outage, Permanent
from tests.provider.fixture import Provider

from .model_requests import check_cancel_disconnects


async def transcript(**more: str) -> Transcript:
    return await transcribe(data=b"sound", file_name="recording.webm", media_type="audio/webm", **more)


async def transcription_error() -> JobError:
    with pytest.raises(JobError) as caught:
        await transcript()
    assert "scripted" not in caught.value.message
    return caught.value


async def test_transcript_is_cleaned_and_has_usage(provider: Provider):
    provider.script(text=" Half \ud83d and nul \0 end\n")
    assert await transcript(language="en") == Transcript(
        text="Half ? and nul  end", model="scripted-ear", seconds=3.0
    )
    assert provider.requests[0].json == {
        "model": "scripted-ear",
        "filename": "recording.webm",
        "bytes": 5,
        "language": "en",
    }


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        ({"status": 500}, Outage, "provider_error"),
        ({"status": 503}, Outage, "provider_error"),
        ({"end": "cut"}, Outage, None),
        ({"end": "garbage"}, Outage, "garbled"),
        ({"end": "eof"}, Outage, "garbled"),
        ({"end": "error"}, Outage, "provider_error"),
        ({"status": -1}, Outage, None),
        ({"status": 307, "headers": {"Location": "/elsewhere"}}, Permanent, "not_configured"),
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
        # K6: an error whose status is 200
        ({"raw": ('{"error": {"message": "no", "code": 429}}',)}, Cooldown, "rate_limited"),
        ({"raw": ('{"error": {"message": "no", "code": "401"}}',)}, Permanent, "not_configured"),
        ({"raw": ('{"error": "400 Bad Request"}',)}, Permanent, "unreadable"),
        ({"raw": ('{"detail": "no speech model", "status": 500}',)}, Outage, "provider_error"),
    ],
)
async def test_transcription_failure_maps_to_job_error(provider: Provider, script, kind, code):
    provider.script(**script)

    error = await transcription_error()

    assert type(error) is kind
    assert code in (None, error.code)
    if "retry-after" in script.get("headers", {}):
        assert error.after == 7


async def test_cancel_disconnects_within_a_second(provider: Provider):
    provider.script(status=0)
    task = asyncio.create_task(transcript())
    await provider.eventually(lambda requests: requests)
    await check_cancel_disconnects(task, provider)


async def test_transcription_server_never_gets_the_chat_models_key(provider: Provider, settings):
    settings.OPENAI_TRANSCRIPTION_BASE_URL = provider.base_url
    settings.OPENAI_BASE_URL = ""
    assert (await transcript()).text
    assert transcription_provider().api_key == "none"

    settings.OPENAI_TRANSCRIPTION_API_KEY = "sk-of-the-ear"
    assert transcription_provider().api_key == "sk-of-the-ear"


async def test_transcription_without_model_is_not_configured(provider: Provider, settings):
    settings.OPENAI_TRANSCRIPTION_MODEL = ""
    assert (await transcription_error()).code == "not_configured"
    assert not provider.requests
