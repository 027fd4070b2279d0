"""Accounts in a browser: signing up, exporting and erasing, on a desktop and a phone, in both themes."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, looks, questions, say, serious
from tests.e2e.site import Site
from tests.provider.fixture import Provider

PASSWORD = "long-and-own-4711"
_NAMES = iter(range(1000))


def sign_up(page: Page) -> str:
    """Create an account, starting from the chat; return its name."""
    name = f"heron{next(_NAMES)}"
    open_sidebar(page)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Name:", exact=True).fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    return name


def open_sidebar(page: Page) -> None:
    if page.viewport_size["width"] < 800:
        page.get_by_role("button", name="Conversations", exact=True).click()


@looks(390, 1280)
def test_visitor_signs_up_exports_and_erases_everything(
    site: Site,
    visitor: Callable[..., BrowserContext],
    provider: Provider,
    width: int,
    theme: str,
    tmp_path: Path,
) -> None:
    page = visitor(viewport={"width": width, "height": 844}, color_scheme=theme).new_page()
    page.goto(site.url)
    provider.script(text="one two three four five six seven " * 12, pause_after=6, until="signed up")
    say(page, "Count the herons, please")
    expect(answers(page)).to_contain_text("one two")
    here = page.url

    name = sign_up(page)
    expect(page).to_have_url(f"{site.url}/")
    page.goto(here)
    expect(questions(page)).to_contain_text("Count the herons")
    provider.release("signed up")
    expect(answers(page)).to_have_attribute("data-status", "completed", timeout=30_000)
    open_sidebar(page)
    page.get_by_role("link", name=name).click()

    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert serious(page) == []
    page.get_by_label("Name:", exact=True).fill("Backup")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_label("The new token")).to_have_value(re.compile("buddy_"))
    assert serious(page) == []

    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_text("Chrome on Linux · this browser")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("link", name="Back to your account").click()

    with page.expect_download() as started:
        page.get_by_role("link", name="Download your data").click()
    started.value.save_as(tmp_path / "export.zip")
    names = zipfile.ZipFile(tmp_path / "export.zip").namelist()
    assert any("Count the herons" in one and one.endswith(".md") for one in names)

    page.get_by_role("link", name="Erase your data").click()
    expect(page.get_by_text("1 conversation with all messages")).to_be_visible()
    assert serious(page) == []
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Erase your data").click()
    expect(page.get_by_role("heading", name="Your data has been erased")).to_be_visible()
    page.goto(here)
    expect(page.get_by_text("Conversation not found")).to_be_visible()


def test_form_errors_are_shown_at_their_fields(site: Site, visitor: Callable[..., BrowserContext]) -> None:
    page = visitor(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/account/sign-up/")
    page.get_by_label("Name:", exact=True).fill("heron@example.org")
    page.get_by_label("Password:", exact=True).fill("12345678")
    page.get_by_label("Password confirmation").fill("12345678")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("A name cannot be an e-mail address.")).to_be_visible()
    expect(page.get_by_label("Name:", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("This password is too common.")).to_be_visible()


def test_search_finds_messages(page: Page, provider: Provider) -> None:
    provider.script(text="Herons live by the water.")
    say(page, "Tell me of birds")
    expect(answers(page)).to_contain_text("Herons live")
    page.get_by_label("Find a conversation").fill("by the water")
    expect(page.locator(".thread__snippet")).to_contain_text("Herons live by the water.")
    expect(page.locator(".thread__snippet mark")).to_have_text("by")
    page.get_by_label("Find a conversation").fill("ospreys")
    expect(page.get_by_text("No conversation matches.")).to_be_visible()
    page.get_by_label("Find a conversation").fill("")
    expect(page.locator(".thread")).to_have_count(1)
