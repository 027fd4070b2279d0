"""What calls used, whoever answered."""

import asyncio
from contextlib import suppress

import pytest

from chat.upstream import Spent
from queueing.api import JobError
from tests.chat.upstream.asking import ask
from tests.provider.fixture import Provider

pytestmark = pytest.mark.usefixtures("valkey")

WORDS = "The quick brown fox"


async def spent(**changes) -> list[Spent]:
    heard: list[Spent] = []
    with suppress(JobError):
        await ask(on_spent=heard.append, **changes)
    return heard


async def test_each_call_is_told_once_with_its_own_model(provider: Provider, api):
    provider.script(model="scripted", text=WORDS, end="error", after=0)

    heard = await spent()

    assert [(one.model, one.ended) for one in heard] == [("scripted", "failed"), ("second", "stop")]


async def test_what_the_provider_counted_is_told_as_it_is(provider: Provider, api):
    provider.script(text=WORDS, cached_tokens=5)

    assert await spent() == [
        Spent(
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
async def test_what_the_provider_did_not_count_is_estimated(provider: Provider, api, script, ended):
    provider.script(text=WORDS, **script)

    (one,) = await spent()

    assert one.estimated
    assert one.ended == ended
    assert 3 <= one.output_tokens <= 8
    assert 20 <= one.input_tokens <= 60


@pytest.mark.parametrize("script", [{"status": 400}, {"status": 401}, {"status": 429}], ids=str)
async def test_a_request_that_was_refused_used_nothing(provider: Provider, script):
    provider.script(**script)

    assert await spent() == []


async def test_an_answer_that_was_stopped_used_what_had_been_said(provider: Provider, api):
    provider.script(text=WORDS, end="stall")
    heard: list[Spent] = []
    began = asyncio.Event()
    task = asyncio.create_task(ask(on_spent=heard.append, on_text=lambda _: began.set()))
    await began.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [one.ended for one in heard] == ["cancelled"]
    assert heard[0].output_tokens > 0
