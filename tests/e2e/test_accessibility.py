"""axe, at three widths and in both themes, where it is installed (`pip install axe-playwright-python`)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.reading import answers, edit, serious
from tests.e2e.site import Site
from tests.provider.fixture import Provider


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_axe_finds_nothing_serious(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    expect(page.get_by_role("radio").first).to_be_checked()
    assert serious(page) == []

    provider.script(text="| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```")
    page.locator(".prompt").first.click()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    assert serious(page) == []

    provider.script(status=400)
    page.get_by_label("Your message").fill("Fail, please.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert serious(page) == []
    edit(page, 0, "Something else, please.")
    expect(page.get_by_role("dialog", name="Ask again from here?")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("button", name="Keep it as it is").click()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
