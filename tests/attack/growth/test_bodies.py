"""No body of a request holds the loop of a web process, or all its threads: each field at its limit (S11)."""

import asyncio
import logging
from collections.abc import Iterable

import pytest

from tests.chat.browser import Browser, browser
from tests.support.valkey import eventually

from .hostile import TEXTS
from .json_bodies import Body, bodies
from .watch import MOST, Watch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: Texts of the quick test, and the ends of what is hostile in its bodies.
_FEW = {"paragraphs": TEXTS[repr("a\n\n")]}
_QUICK = ("empty lists", "keys", "message: paragraphs", "question: paragraphs", "nested lists")


@pytest.fixture(autouse=True)
def no_limits(settings) -> None:
    settings.LIMITS = dict.fromkeys(settings.LIMITS, "")


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


async def send(one: Browser, body: Body) -> int:
    """Send a body as a page does; return the status."""
    headers = {"X-CSRFToken": one.client.cookies["csrftoken"].value}
    data = body.text.encode()
    response = await one.client.generic(
        body.method, body.path, data, content_type="application/json", headers=headers
    )
    return int(response.status_code)


async def check(watch: Watch, sent: Iterable[Body]) -> None:
    """Send all bodies; one that takes long again, in case something else has disturbed the first try."""
    slow = {}
    async with browser() as one:
        await one.client.get("/")
        await send(
            one, Body("POST", "/api/travel", "", '{"message": "Where to?"}')
        )  # loads what is loaded once
        for body in sent:
            for _ in range(2):
                watch.clear()
                status = await send(one, body)
                if watch.longest <= MOST:
                    break
            else:
                slow[body.method, body.path, body.about] = (status, watch.step, watch.call)
            assert status < 500, body.about
    assert not slow


async def test_hostile_bodies_hold_a_web_process_for_a_moment_only(watch):
    """2.5 MB of `[],` or of wrong items once held all visitors for seconds."""
    await check(watch, (one for one in bodies(_FEW) if one.about.endswith(_QUICK)))


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
async def test_texts_at_the_limit_of_a_body_hold_a_web_process_for_a_moment_only(watch, text):
    await check(watch, bodies({text: TEXTS[text]}))


async def test_body_that_holds_the_loop_is_found(watch):
    """The watch itself: a step of the loop, and a call that no other thread can interrupt."""
    watch.clear()
    await asyncio.to_thread(sorted, range(4_000_000, 0, -1), key=None)
    await asyncio.to_thread("a".__mul__(30_000_000).count, "aa")
    await eventually(lambda: watch.call > 0.01, "the watching thread to see it")
    watch.clear()
    sum(range(3_000_000))
    await asyncio.sleep(0)
    assert watch.step > 0.01
