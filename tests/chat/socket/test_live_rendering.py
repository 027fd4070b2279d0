"""Unfinished answers as HTML, for tabs that request it."""

import pytest

from chat.markdown.render import render
from chat.socket import live_rendering
from tests.chat.browser import Tab, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

TEXT = """\
# Two days

- **Alfama**, by tram
- Belém 🙂

| day | where |
|-----|-------|
| one | Alfama |

```text
tram 28
```

And [more](https://example.org) <script>alert(1)</script> words at the end.
"""


async def read(tab: Tab) -> tuple[list[dict], dict]:
    """Request HTML as the page does, to the end. Return the rendered events and the last event."""
    rendered: list[dict] = []
    while (event := await tab.receive_event())["type"] != "chat:completed":
        if event["type"] == "chat:rendered":
            rendered.append(event)
        if event["type"] == "chat:rendered" or (event["type"] == "chat:delta" and event["offset"] == 0):
            last = rendered[-1] if rendered else {"settled": 0}
            await tab.send_message(
                type="job:render", jobId=event["jobId"], run=event["run"], offset=last["settled"]
            )
    return rendered, event


async def test_settled_blocks_are_rendered_once_and_equal_the_final_html(workers):
    workers.script(text=TEXT, delay=0.08)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        rendered, completed = await read(tab)
    assert len(rendered) > 5
    settled = ""
    for event, after in zip(rendered, [*rendered[1:], None], strict=True):
        settled += event["html"]
        assert completed["html"].startswith(settled)
        assert TEXT.startswith(TEXT[: event["settled"]])
        assert "<script" not in event["html"] + event["openHtml"]
        if after:
            assert after["offset"] == event["settled"] <= event["length"] <= after["length"]
    assert "<table" in settled
    assert completed["html"] == settled + render(TEXT[rendered[-1]["settled"] :])
    assert {event["threadId"] for event in rendered} == {completed["threadId"]}


async def test_text_with_link_definitions_is_rendered_as_a_whole(workers):
    text = "See [it] there.\n\nAnd then.\n\nAnd then that.\n\n[it]: https://example.org\n\nAnd to the end."
    workers.script(text=text, delay=0.1)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        rendered, _ = await read(tab)
    last = rendered[-1]
    assert (last["offset"], last["settled"], last["html"]) == (0, 0, "")
    assert '<a href="https://example.org"' in last["openHtml"]
    assert any(event["settled"] for event in rendered)


async def test_rendering_reaches_only_its_owner_and_no_finished_job(workers):
    workers.script(text=TEXT, delay=0.1)
    async with browser() as alice, browser() as eve:
        tab, other = await alice.open(), await eve.open()
        await tab.ask()
        heard = await tab.receive_until("chat:delta")
        job_id = heard[0]["jobId"]
        await other.send_message(type="job:render", jobId=job_id)
        await tab.receive_until("chat:completed")
        await tab.send_message(type="job:render", jobId=job_id)
        for one in (tab, other):  # what is told of this would come before what is asked after it
            workers.script(text=TEXT, delay=0.05)
            await one.ask(request_id="r-2")
            rendered, _ = await read(one)
            assert job_id not in {event["jobId"] for event in rendered}
            assert len(rendered) > 1


async def test_frequent_render_requests_are_answered_at_the_minimum_interval(workers):
    workers.script(text=TEXT, delay=0.05)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask()
        heard = await tab.receive_until("chat:delta")
        for _ in range(60):
            await tab.send_message(type="job:render", jobId=heard[0]["jobId"])
        events = [event["type"] for event in await tab.receive_until("chat:completed")]
    assert 2 <= events.count("chat:rendered") <= 3
    assert "error" not in events


def test_rendering_costs_only_the_open_blocks():
    paragraph = "Some **words** of a `paragraph`.\n\n"
    first = live_rendering.rendered_from(400 * paragraph + "The end", 0)
    assert first["settled"] == 399 * len(paragraph)
    again = live_rendering.rendered_from(400 * paragraph + "The end is", first["settled"])
    assert again["html"] == ""
    assert again["openHtml"] == render(paragraph + "The end is")
