"""What becomes of a message: its place in line, its answer, and everything that can come between."""

import os
import re
import signal
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, questions, say, spoken, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

LONG = " ".join(f"word{n}" for n in range(60))
MARKDOWN = """\
# Plan

- one
- **two**

| a | b |
|---|---|
| 1 | 2 |

```python
print("<b>hello</b>")
```

<script>alert(1)</script> [link](javascript:alert(1))
"""


def test_markdown_answer_is_rendered_without_scripts(page: Page, provider: Provider) -> None:
    provider.script(text=MARKDOWN)
    say(page, "Show me everything.")

    answer = answers(page)
    expect(answer).to_have_attribute("aria-busy", "false")
    expect(answer.get_by_role("heading", name="Plan")).to_be_visible()
    expect(answer.get_by_role("cell", name="2")).to_be_visible()
    expect(answer.locator("pre")).to_contain_text("<b>hello</b>")
    expect(answer.locator("script, [href^=javascript]")).to_have_count(0)
    expect(spoken(page)).to_have_text("The Corporate companion has answered.")


def test_position_in_line_is_shown_and_updated(
    page: Page, site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    provider.script(text=LONG, until="the second place was seen")
    provider.script(text="Second.", until="the first place was seen")
    others = [visitor().new_page() for _ in range(2)]
    for number, other in enumerate(others):
        other.goto(site.url)
        say(other, f"Number {number}, please.")
        expect(answers(other)).to_have_attribute("data-status", "waiting" if number else "active")
    say(page, "And me, please.")

    mine = answers(page)
    expect(mine).to_contain_text("2nd in line")
    provider.release("the second place was seen")
    expect(mine).to_contain_text("Next in line")
    provider.release("the first place was seen")
    expect(text_of(answers(others[0]))).to_have_text(LONG)
    expect(mine).to_have_attribute("data-status", "completed")


def test_waiting_question_can_be_cancelled(
    page: Page, site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    provider.script(text=LONG, until="it was cancelled")
    other = visitor().new_page()
    other.goto(site.url)
    say(other, "First, please.")
    expect(answers(other)).to_have_attribute("data-status", "active")
    say(page, "Never mind this one.")
    answers(page).get_by_role("button", name="Cancel").click()

    expect(answers(page)).to_contain_text("Cancelled before it started.")
    provider.release("it was cancelled")
    expect(text_of(answers(other))).to_have_text(LONG)
    assert len(provider.requests) == 1


def test_provider_that_fails_once_is_tried_again(page: Page, provider: Provider) -> None:
    provider.script(status=500)
    provider.script(text="Here I am.")
    say(page, "Are you there?")

    expect(answers(page)).to_contain_text(re.compile(r"Trying again in \d s \(attempt 2 of 3\)"))
    expect(text_of(answers(page))).to_have_text("Here I am.")
    expect(answers(page).get_by_role("button", name="Copy")).to_be_visible()


def test_answer_cut_off_is_replaced_by_the_next_attempt(page: Page, provider: Provider) -> None:
    provider.script(text="A start that ends nowhere", end="cut")
    provider.script(text="A whole answer.")
    say(page, "Tell me.")

    expect(answers(page)).to_contain_text("attempt 2 of 3")
    expect(text_of(answers(page))).to_have_text("A whole answer.")


def test_failed_answer_says_what_to_do_and_can_be_retried(page: Page, provider: Provider) -> None:
    provider.script(text="A start that", end="cut", times=3)
    say(page, "Will this work?")
    again = answers(page).get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(spoken(page)).to_contain_text("The answer failed.")

    page.reload()
    expect(again).to_be_visible()
    provider.script(text="Now it does.")
    again.click()
    expect(text_of(answers(page))).to_have_text("Now it does.")


def test_stopped_answer_keeps_its_text_and_closes_the_provider_connection(
    page: Page, provider: Provider
) -> None:
    provider.script(text=LONG, delay=0.05, after=6, end="stall")
    say(page, "Talk for long.")
    expect(text_of(answers(page))).to_contain_text("word3")
    page.keyboard.press("Escape")

    expect(answers(page)).to_contain_text("Stopped here.")
    provider.wait_for(lambda requests: requests[0].disconnected)
    kept = text_of(answers(page)).inner_text()
    page.reload()
    expect(text_of(answers(page))).to_have_text(kept)


def test_answer_continues_after_a_reload(page: Page, provider: Provider) -> None:
    provider.script(text=LONG, delay=0.02, pause_after=10, until="it was loaded again")
    say(page, "Talk for long.")
    expect(text_of(answers(page))).to_contain_text("word5")
    page.reload()

    expect(answers(page)).to_have_attribute("aria-busy", "true")
    expect(text_of(answers(page))).to_contain_text("word5")
    provider.release("it was loaded again")
    expect(text_of(answers(page))).to_have_text(LONG)
    expect(answers(page)).to_have_attribute("data-status", "completed")


def test_two_tabs_of_one_visitor_show_the_same(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    context = visitor()
    one, two = context.new_page(), context.new_page()
    one.goto(site.url)
    say(one, "Hello from one.")
    expect(answers(one)).to_have_attribute("data-status", "completed")
    two.goto(one.url)
    expect(answers(two)).to_have_count(1)

    provider.script(text=LONG, delay=0.05)
    say(two, "Hello from two.")
    expect(text_of(questions(one))).to_have_text(["Hello from one.", "Hello from two."])
    for tab in (one, two):
        expect(text_of(answers(tab).nth(1))).to_have_text(LONG)

    provider.script(text=LONG, delay=0.05, after=6, end="stall")
    say(one, "Stop me from two.")
    expect(text_of(answers(two).nth(2))).to_contain_text("word1")
    two.get_by_role("button", name="Stop").click()
    for tab in (one, two):
        expect(answers(tab).nth(2)).to_contain_text("Stopped here.")


def test_answer_of_a_killed_worker_is_written_by_another(page: Page, provider: Provider, site: Site) -> None:
    provider.script(text=LONG, delay=0.05, after=6, end="stall")
    provider.script(text="Told from the start by another worker.")
    say(page, "Talk for long.")
    expect(text_of(answers(page))).to_contain_text("word3")
    for pid in site.cluster.workers():
        os.kill(pid, signal.SIGKILL)

    expect(text_of(answers(page))).to_have_text("Told from the start by another worker.", timeout=60_000)
    expect(answers(page)).to_have_attribute("data-status", "completed")
