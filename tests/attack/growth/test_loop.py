"""No input holds the loop of a web process: each step that hostile texts cause is short (S11, S12)."""

import json

import pytest

from tests.chat.browser import browser

from .hostile import TEXTS
from .watch import MOST

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

_HOSTILE = [
    "'1'",
    "'# a\\n```\\n```\\n'",
    "nested JSON",
    "links of one long definition",
    "a table of empty rows",
]


@pytest.fixture(autouse=True)
def no_limits(settings) -> None:
    settings.LIMITS = dict.fromkeys(settings.LIMITS, "")


def frames(text: str) -> list[str]:
    """Return the frames that carry this text, and the text as a frame."""
    asked = {"companion": "travel", "requestId": "r-1"}
    question = {"type": "chat:message", "messages": [{"role": "user", "content": text}]}
    return [
        json.dumps(asked | question, ensure_ascii=False),
        json.dumps(asked | {"type": "analysis:large", "requestId": "r-2", "text": text}, ensure_ascii=False),
        json.dumps({"type": "message:edit", "messageId": "0" * 32, "content": text}, ensure_ascii=False),
        text,
    ]


async def send_all(one, text: str) -> None:
    """Send a text in each way that a client has."""
    tab = await one.open()
    for frame in frames(text):
        await tab.send_to(text_data=frame)
        await tab.receive_until(
            "chat:queued", "analysis:queued", "chat:rejected", "analysis:rejected", "error"
        )
    for method, path, body in (
        ("post", "/api/travel", {"message": text}),
        ("post", "/api/analysis", {"companion": "travel", "text": text}),
        ("patch", f"/api/threads/{'0' * 32}", {"title": text}),
        ("post", "/api/analytics/track", {"name": text}),
    ):
        await one.call(method, path, body)
    threads = (await one.call("get", "/api/threads?q=" + "a" * 200)).json()["threads"]
    threads = threads or (await one.call("get", "/api/threads")).json()["threads"]
    assert threads, "no message was accepted"
    for thread in threads:
        await one.call("get", f"/api/threads/{thread['id']}")


async def test_hostile_texts_hold_the_loop_of_a_web_process_for_a_moment_only(watch):
    slow = {}
    async with browser() as one:
        await send_all(one, "Where to?")  # loads what the first request loads
    for name in _HOSTILE:
        async with browser() as one:
            await one.client.get("/")
            watch.clear()
            await send_all(one, TEXTS[name](15_000))
            if watch.longest > MOST:
                slow[name] = (watch.step, watch.handle, watch.call)
    assert not slow
