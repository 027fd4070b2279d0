"""The help card and the page of help lines in a browser."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.reading import answers, choose, looks, questions, say, serious, spoken
from tests.e2e.site import Site
from tests.provider.fixture import Provider


def card(page: Page) -> Locator:
    return page.locator(".care")


@looks(390, 1280)
def test_crisis_message_shows_the_card_at_once(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    viewport = {"width": width, "height": 844}
    page = visitor(viewport=viewport, color_scheme=theme, locale="en-GB").new_page()
    page.goto(site.url)
    choose(page, "Emotional")
    provider.script(text="I hear you. Are you safe right now?", delay=0.3)
    say(page, "I don't want to live any more")
    expect(card(page)).to_contain_text("I am glad you said that")
    expect(card(page).get_by_role("link", name="Call 116 123")).to_have_attribute("href", "tel:116123")
    expect(card(page).get_by_role("link", name="Text SHOUT to 85258")).to_be_visible()
    expect(spoken(page)).to_contain_text("answer")
    expect(answers(page)).to_contain_text("Are you safe")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    card(page).get_by_label("Country").select_option("NZ")
    expect(card(page).get_by_role("link", name="Call 1737")).to_be_visible()
    page.reload()
    expect(card(page).get_by_role("link", name="Call 1737")).to_be_visible()
    expect(questions(page)).to_have_count(1)


def test_help_lines_page_works_without_scripts(site: Site, visitor: Callable[..., BrowserContext]) -> None:
    page = visitor(java_script_enabled=False, locale="de-DE").new_page()
    page.goto(f"{site.url}/care")
    expect(page.get_by_role("link", name="Call 0800 111 0 111")).to_be_visible()
    page.get_by_text("Brasil").click()
    expect(page.get_by_role("link", name="Call 188")).to_be_visible()


def test_long_conversation_gets_one_ai_reminder(page: Page, provider: Provider) -> None:
    before = "{since: Date.now(), last: Date.now(), count: 39}"
    page.evaluate(f"sessionStorage.setItem('buddy.session', JSON.stringify({before}))")
    say(page, "Where is Rome?")
    expect(page.get_by_text("You have been talking with an AI for a while")).to_be_visible()
    page.get_by_role("button", name="OK").click()
    expect(page.get_by_text("You have been talking with an AI for a while")).to_be_hidden()
    say(page, "And Porto?")
    expect(answers(page)).to_have_count(2)
    expect(page.get_by_text("You have been talking with an AI for a while")).to_be_hidden()
