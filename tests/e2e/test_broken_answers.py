"""Answers that fail: what was said stays (K9), and what can be done is said (K10)."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, looks, say, serious, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

HALF = "Take tram 28 early in the morning"


@looks(390, 1280)
def test_broken_answer_stays_on_the_page_until_a_retry_replaces_it(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    provider.script(text=f"{HALF}, and then", after=7, end="content_filter")
    say(page, "What about Lisbon?")

    answer = answers(page)
    expect(answer).to_have_attribute("data-status", "failed")
    expect(text_of(answer)).to_contain_text(HALF)
    expect(answer).to_contain_text("The content filter blocked the answer.")
    page.reload()
    expect(text_of(answer)).to_contain_text(HALF)
    expect(answer).to_contain_text("The content filter blocked the answer.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page) == []


def test_retry_replaces_what_was_said(page: Page, provider: Provider) -> None:
    provider.script(text=f"{HALF}, and then", after=7, end="cut")
    provider.script(status=500, times=2)
    say(page, "What about Lisbon?")

    answer = answers(page)
    expect(answer).to_have_attribute("data-status", "failed", timeout=40_000)
    expect(text_of(answer)).to_contain_text(HALF)
    expect(answer).to_contain_text("Your message is saved. Try again now or later.")
    provider.script(text="Take the metro.")
    answer.get_by_role("button", name="Try again").click()
    expect(text_of(answer)).to_have_text("Take the metro.")
    expect(answer).to_have_attribute("data-status", "completed")


def test_retry_is_not_offered_where_it_cannot_help(page: Page, provider: Provider) -> None:
    provider.script(status=401, code="invalid_api_key")
    say(page, "What about Lisbon?")

    answer = answers(page)
    expect(answer).to_contain_text("The companion's model account is not set up correctly.")
    expect(answer).to_contain_text("Trying again cannot help until the operator of this site has acted.")
    expect(answer.get_by_role("button", name="Try again")).to_be_hidden()
    page.reload()
    expect(answer).to_contain_text("Trying again cannot help until the operator of this site has acted.")
    expect(answer.get_by_role("button", name="Try again")).to_be_hidden()
