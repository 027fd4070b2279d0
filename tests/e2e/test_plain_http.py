"""P3: the page by a name in a local network, without HTTPS, where browsers leave out many functions."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, edit, questions, say, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider


@pytest.fixture
def lan(site: Site, visitor: Callable[..., BrowserContext]) -> Page:
    page = visitor().new_page()
    page.goto(site.url.replace("127.0.0.1", "buddy.lan"))
    assert not page.evaluate("window.isSecureContext")
    return page


def test_page_without_https_sends_edits_copies_and_reads_files(lan: Page, provider: Provider) -> None:
    code = "```\nfirst line\nsecond line\n```"
    provider.script(text=code)
    say(lan, "Hello from the kitchen.")
    expect(answers(lan)).to_have_attribute("data-status", "completed")
    copy = answers(lan).locator("[data-do=copy-code]")
    copy.click()
    expect(copy).to_have_text("Copied")
    message = lan.get_by_label("Your message", exact=True)
    message.press("Control+v")
    expect(message).to_have_value("first line\nsecond line\n")
    message.fill("")

    edit(lan, 0, "Hello from the cellar.")
    expect(text_of(questions(lan))).to_have_text(["Hello from the cellar."])
    expect(answers(lan)).to_have_attribute("data-status", "completed")
    lan.locator("#file").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Bread and salt."}
    )
    lan.get_by_role("button", name="Send").click()
    expect(questions(lan)).to_have_count(2)
    expect(answers(lan).nth(1)).to_have_attribute("data-status", "completed")
    lan.get_by_role("link", name="New conversation").first.click()
    say(lan, "A second conversation.")
    expect(lan.locator("#threads .thread")).to_have_count(2)


def test_microphone_without_https_says_why(lan: Page, provider: Provider) -> None:
    lan.get_by_role("button", name="Record a voice message").click()
    expect(lan.locator("#voice")).to_contain_text("Browsers allow recording only on pages with HTTPS")
    expect(lan.locator("#voice").get_by_role("button", name="Try again")).to_be_hidden()
    lan.locator("#file").set_input_files("tests/speech/lisbon.mp3")
    expect(lan.get_by_label("Your message", exact=True)).not_to_have_value("")
