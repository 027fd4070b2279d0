"""P3: the page by a name in a local network, without HTTPS, where browsers leave out many functions."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.site import Site
from tests.provider.fixture import Provider


@pytest.fixture
def lan(site: Site, visitor: Callable[..., BrowserContext]) -> Page:
    page = visitor().new_page()
    page.goto(site.url.replace("127.0.0.1", "buddy.lan"))
    assert not page.evaluate("window.isSecureContext")
    return page


def test_microphone_without_https_says_why(lan: Page, provider: Provider) -> None:
    lan.get_by_role("button", name="Record a voice message").click()
    expect(lan.locator("#voice")).to_contain_text("Browsers allow recording only on pages with HTTPS")
    lan.locator("#file").set_input_files("tests/speech/lisbon.mp3")
    expect(lan.get_by_label("Your message", exact=True)).not_to_have_value("")
