"""How tests record a voice message."""

import re

from playwright.sync_api import Locator, Page, expect

#: What the microphone of the tests hears, as the scripted provider writes it down.
TRANSCRIPT = "Where should I go in Lisbon on a rainy day?"


def record(page: Page, seconds: int = 1) -> None:
    """Press the microphone's button and record for some seconds; one may pass unseen."""
    page.get_by_role("button", name="Record a voice message").click()
    expect(card(page)).to_contain_text("Recording")
    expect(card(page)).to_contain_text(re.compile(rf"0:(0[{seconds}-9]|[1-5]\d) of 5:00"))


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="Voice message")
