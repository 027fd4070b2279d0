"""Token usage reported by calls, with and without the fallback."""

import asyncio
from contextlib import suppress

import pytest

from chat.upstream import CallUsage
from queueing.api import JobError
from tests.chat.upstream.model_requests import ask_model
from tests.provider.fixture import Provider

pytestmark = pytest.mark.usefixtures("valkey")

WORDS = "The quick brown fox"


async def reported_usage(**changes) -> list[CallUsage]:
    reported: list[CallUsage] = []
    with suppress(JobError):
        await ask_model(on_usage=reported.append, **changes)
    return reported


async def test_usage_of_each_call_is_reported_once_with_its_model(provider: Provider, api):
    provider.script(model="scripted", text=WORDS, end="error", after=0)

    reported = await reported_usage()

    assert [(one.model, one.ended) for one in reported] == [("scripted", "failed"), ("second", "stop")]


async def test_usage_reports_the_providers_counts(provider: Provider, api):
    provider.script(text=WORDS, cached_tokens=5)

    assert await reported_usage() == [
        CallUsage(
            model="scripted",
            input_tokens=11,
            output_tokens=4,
            cached_tokens=5,
            estimated=False,
            ended="stop",
        )
    ]


@pytest.mark.parametrize(
    ("script", "ended"),
    [
        ({"counts": False}, "stop"),
        ({"counts": False, "end": "length"}, "length"),
        ({"end": "cut", "after": 3}, "failed"),
        ({"end": "eof", "after": 3}, "failed"),
        ({"end": "garbage", "after": 3}, "failed"),
    ],
    ids=str,
)
async def test_usage_without_counts_is_estimated(provider: Provider, api, script, ended):
    provider.script(text=WORDS, **script)

    (one,) = await reported_usage()

    assert one.estimated
    assert one.ended == ended
    assert 3 <= one.output_tokens <= 8
    assert 20 <= one.input_tokens <= 60


@pytest.mark.parametrize("script", [{"status": 400}, {"status": 401}, {"status": 429}], ids=str)
async def test_usage_of_refused_request_is_not_reported(provider: Provider, script):
    provider.script(**script)

    assert await reported_usage() == []


async def test_usage_of_cancelled_answer_is_estimated(provider: Provider, api):
    provider.script(text=WORDS, end="stall")
    reported: list[CallUsage] = []
    started = asyncio.Event()
    task = asyncio.create_task(ask_model(on_usage=reported.append, on_text=lambda _: started.set()))
    await started.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [one.ended for one in reported] == ["cancelled"]
    assert reported[0].output_tokens > 0
