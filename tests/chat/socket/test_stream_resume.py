"""The answer arrives complete over a socket that disconnects and a channel layer that loses events."""

import asyncio
import random
from typing import Any

import pytest

from queueing.api import Job
from tests.chat.browser import browser

from .stream_client import LossyLayer, Reading, read_with_cuts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: Characters that are one, two or many code points, of one to four bytes.
WORDS = [
    "Lisboa",
    "é",
    "e\u0301",
    "👩‍👩‍👧‍👦",
    "🇵🇹",
    "𝔘𝔫𝔦",
    "\u202bعربى\u202c",
    "नमस्ते",
    "한글",
    "🙂🙃",
    "\n\n-",
    "a",
]


def text_of(seed: int, words: int) -> str:
    dice = random.Random(seed)
    return " ".join(dice.choice(WORDS) for _ in range(words))


@pytest.fixture
def many_workers(qcluster: Any, provider: Any) -> Any:
    """Allow many answers at once, and quick retries."""
    qcluster(**provider.publishes, QUEUE_OPENAI_CHAT_CONCURRENCY="20", QUEUE_OPENAI_CHAT_BACKOFF_DELAY="0.1")
    return provider


@pytest.fixture
def lossy(settings: Any) -> Any:
    """Make the web process receive through a layer that loses a third of all events."""
    layer = settings.CHANNEL_LAYERS["default"]
    path = "tests.chat.socket.stream_client.LossyLayer"
    settings.CHANNEL_LAYERS = {"default": layer | {"BACKEND": path}}
    LossyLayer.lost = 0
    return LossyLayer


async def one_answer(provider: Any, seed: int, words: int) -> int:
    """Ask once and read with cuts; every third answer fails first and is retried. Return the cuts."""
    key, dice = f"<{seed}>", random.Random(seed)
    texts = [text_of(seed, words)]
    if seed % 3 == 0:
        texts.insert(0, text_of(seed + 10_000, words // 2))
        provider.script(text=texts[0], end="cut", delay=0.01, match=key)
    provider.script(text=texts[-1], delay=0.01, match=key)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask(f"Go {key}", request_id=f"r-{seed}")
        queued = (await tab.receive_until("chat:queued"))[-1]
        reading = Reading(queued["jobId"])
        cuts = await read_with_cuts(alice, reading, texts, dice)
    assert reading.ending is not None
    assert reading.ending["type"] == "chat:completed", reading.ending
    assert reading.ending["response"].encode() == texts[-1].encode()
    assert texts[-1].startswith(reading.text) or reading.run < len(texts)
    assert reading.runs == sorted(set(reading.runs))
    return cuts


async def test_uninterrupted_answer_needs_only_its_deltas(many_workers):
    text = text_of(1, 200)
    many_workers.script(text=text, delay=0.005)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        reading = Reading((await tab.receive_event())["jobId"])
        await reading.follow(tab)
        assert reading.text.encode() == reading.ending["response"].encode() == text.encode()
        assert (reading.gaps, reading.runs) == (0, [1])


async def cut(provider, *, more_than, answers, words):
    """Read answers of `words` words until there were enough cuts. Return the cuts and the answers."""
    cuts = seed = 0
    while cuts <= more_than:
        some = (one_answer(provider, one, words) for one in range(seed, seed + answers))
        cuts += sum(await asyncio.gather(*some))
        seed += answers
    return cuts, seed


async def test_socket_that_reconnects_often_loses_no_text(many_workers):
    assert await cut(many_workers, more_than=20, answers=4, words=100)


async def test_events_lost_by_the_channel_layer_are_filled_in(many_workers, lossy):
    text = text_of(2, 250)
    many_workers.script(text=text, delay=0.01)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        reading = Reading((await tab.receive_until("chat:queued"))[-1]["jobId"])
        await reading.follow(tab)
    assert reading.ending["response"].encode() == text.encode()
    assert reading.gaps == 0, "the server fills them"
    assert text.startswith(reading.text)
    assert lossy.lost > 3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("losing", [False, True])
async def test_answer_survives_a_thousand_disconnects(many_workers, request, losing):
    if losing:
        request.getfixturevalue("lossy")
    cuts, answers = await cut(many_workers, more_than=1000, answers=20, words=300)
    assert not await Job.objects.exclude(state="completed").aexists()
    print(f"{cuts} cuts in {answers} answers, {LossyLayer.lost} events lost")
