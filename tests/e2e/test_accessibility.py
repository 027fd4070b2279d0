"""axe, on every page and in the states of the chat, where it is installed (tests/requirements.txt)."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, edit, looks, questions, say, serious
from tests.e2e.site import Site
from tests.provider.fixture import Provider

PAGES = [
    "/account/sign-in",
    "/account/sign-up",
    "/account/",
    "/account/erase",
    "/care",
    "/nowhere",
    "/t/" + "0" * 32,
]
LOOKS = [(360, "dark"), (1280, "light")]


@looks(360, 768, 1280)
def test_axe_finds_nothing_serious(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    expect(page.get_by_role("radio").first).to_be_checked()
    assert serious(page) == []

    code = "```python\n# a\n@b\ndef f(x): return 'y' + 1\n```"
    provider.script(text=f"| a | b |\n|---|---|\n| 1 | 2 |\n\n{code}")
    page.locator(".prompt").first.click()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(answers(page).locator(".hl-name").first).to_be_visible()
    assert serious(page) == []

    provider.script(text="A start that", end="cut", times=3)
    page.get_by_label("Your message", exact=True).fill("Fail, please.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert serious(page) == []
    edit(page, 0, "Something else, please.")
    expect(questions(page).first).to_contain_text("2 / 2")
    expect(answers(page).first).to_have_attribute("data-status", "completed")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(params=LOOKS, ids=str)
def looked_at(request: pytest.FixtureRequest, site: Site, visitor: Callable[..., BrowserContext]) -> Page:
    """The chat page, on a phone in the dark and on a desk in the light."""
    width, theme = request.param
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    return page


def test_axe_finds_nothing_serious_on_any_page(looked_at: Page, site: Site) -> None:
    for path in PAGES:
        looked_at.goto(site.url + path)
        expect(looked_at.get_by_role("heading").first).to_be_visible()
        assert serious(looked_at) == [], path
        assert looked_at.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path
    looked_at.goto(f"{site.url}/account/sign-up")
    looked_at.get_by_role("button", name="Sign up").click()
    assert serious(looked_at) == []
    looked_at.context.clear_cookies()
    looked_at.get_by_label("Name:", exact=True).fill("somebody")
    for field in looked_at.locator("[type=password]").all():
        field.fill("correct horse battery")
    looked_at.get_by_role("button", name="Sign up").click()
    expect(looked_at.get_by_role("heading", name="This form has expired")).to_be_visible()
    assert serious(looked_at) == []


def test_axe_finds_nothing_serious_during_answers_and_errors(looked_at: Page, provider: Provider) -> None:
    page = looked_at
    provider.script(text="word " * 20, end="stall")
    say(page, "First, please.")
    expect(answers(page).first).to_contain_text("word word")
    say(page, "Second, please.")
    expect(answers(page).nth(1)).to_contain_text("Waiting for the previous answer")
    questions(page).nth(1).get_by_role("button", name="Edit").click()
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    say(page, "Third, offline.")
    assert serious(page) == []
    page.context.set_offline(False)
    expect(page.get_by_text("Back online.").first).to_be_visible()
    page.get_by_role("button", name=re.compile("Stop")).last.click()
    expect(answers(page).first).to_contain_text("Stopped here.")

    page.keyboard.press("Control+k")
    page.get_by_label("Find a conversation").fill("second")
    expect(page.locator(".thread__snippet")).to_be_visible()
    page.locator(".thread__more").click()
    assert serious(page) == []
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog", name="Delete this conversation?")).to_be_visible()
    assert serious(page) == []
