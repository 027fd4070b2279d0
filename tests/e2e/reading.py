"""How tests write and read on the page, by what a person (or a screen reader) goes by."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect


def looks(*widths: int) -> Any:
    """Parametrizes `width` and `theme`: the narrowest light and the widest dark; all others are slow."""
    often = {(min(widths), "light"), (max(widths), "dark")}
    every = [(width, theme) for width in widths for theme in ("light", "dark")]
    marks = [() if look in often else pytest.mark.slow for look in every]
    values = [pytest.param(*look, marks=mark) for look, mark in zip(every, marks, strict=True)]
    return pytest.mark.parametrize(("width", "theme"), values)


def choose(page: Page, companion: str) -> None:
    """Pick a companion on the empty page."""
    page.get_by_role("radio", name=companion).check(force=True)


def message_field(page: Page) -> Locator:
    """Where a message is written."""
    return page.get_by_label("Your message", exact=True)


def say(page: Page, text: str) -> None:
    """Write a message and press Enter."""
    message_field(page).fill(text)
    message_field(page).press("Enter")


def answered(page: Page, *texts: str) -> None:
    """Ask questions in a new conversation, and wait until the last is answered and the address is known."""
    for number, text in enumerate(texts):
        say(page, text)
        expect(answers(page).nth(number)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")


def open_new(page: Page) -> None:
    """Leave the conversation for a new one."""
    page.get_by_role("link", name="New conversation").first.click()
    expect(page.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()


def open_menu(page: Page, button: str) -> None:
    """Press a button in the menu of the first conversation in the list."""
    row = page.locator(".thread").first
    row.hover()
    row.get_by_role("button", name="More for").click()
    row.get_by_role("button", name=button, exact=True).click()


def delete_conversation(page: Page) -> None:
    """Delete the first conversation in the list."""
    open_menu(page, "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()


def answers(page: Page) -> Locator:
    """The companions' messages."""
    return page.get_by_role("article").filter(has=page.locator(".message__who"))


def questions(page: Page) -> Locator:
    """The visitor's messages."""
    return page.get_by_role("article", name="You")


def text_of(answer: Locator) -> Locator:
    """The words of an answer."""
    return answer.locator(".message__text")


def spoken(page: Page) -> Locator:
    """What a screen reader was told last."""
    return page.locator("#announcer")


def editor(page: Page) -> Locator:
    """Where a message is being changed."""
    return page.get_by_label("Edit your message")


def edit(page: Page, number: int, text: str) -> None:
    """Change the question with that number, from 0. By keyboard: what streams above moves the button."""
    questions(page).nth(number).get_by_role("button", name="Edit").press("Enter")
    editor(page).fill(text)
    editor(page).press("Enter")


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out; skips where it is not installed."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html']}" for v in found if v["impact"] in ("serious", "critical")]
