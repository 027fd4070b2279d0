"""A model that thinks before it answers: for how long is shown, its thoughts on request alone (K8)."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, looks, say, serious, spoken, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

THOUGHTS = "First, what do they know of trams? Then, which one is **best**?"


@looks(390, 1280)
def test_thinking_is_shown_with_its_time_and_its_thoughts_are_folded(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.url)
    provider.script(thoughts=THOUGHTS, text="Take tram 28.", pause_after=5, until="it was seen")
    say(page, "Which tram?")

    answer = answers(page)
    expect(answer).to_contain_text("The Corporate companion is thinking")
    expect(answer.locator(".thinking")).to_contain_text("2 s")
    expect(spoken(page)).to_have_text("The Corporate companion is thinking before it answers.")
    expect(answer.get_by_text("Thoughts so far")).to_be_visible()
    assert serious(page) == []
    provider.release("it was seen")
    expect(text_of(answer)).to_have_text("Take tram 28.")
    expect(answer.locator(".thinking")).to_have_count(0)
    summary = answer.get_by_text("Thought for")
    expect(summary).to_be_visible()
    expect(answer.get_by_text("which one is")).to_be_hidden()
    assert not [url for url in asked if url.endswith("/thoughts")]

    summary.click()
    expect(answer.locator(".thoughts__text")).to_have_text(THOUGHTS)
    expect(text_of(answer)).to_have_text("Take tram 28.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page) == []


def test_thoughts_are_folded_again_after_a_reload(page: Page, provider: Provider) -> None:
    provider.script(text=f"<think>{THOUGHTS}</think>\n\nTake tram 28.")
    say(page, "Which tram?")

    answer = answers(page)
    expect(text_of(answer)).to_have_text("Take tram 28.")
    page.reload()
    expect(text_of(answer)).to_have_text("Take tram 28.")
    expect(answer.locator(".thoughts__text")).to_be_hidden()
    answer.get_by_text("Thought for").click()
    expect(answer.locator(".thoughts__text")).to_have_text(THOUGHTS)


def test_answer_without_thoughts_has_no_fold(page: Page, provider: Provider) -> None:
    provider.script(text="Take tram 28.")
    say(page, "Which tram?")

    expect(text_of(answers(page))).to_have_text("Take tram 28.")
    expect(answers(page).locator(".thoughts")).to_be_hidden()
