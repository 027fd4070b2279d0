"""axe, at three widths and in both themes, where it is installed (`pip install axe-playwright-python`)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.reading import answers, edit
from tests.e2e.site import Site
from tests.provider.fixture import Provider

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_axe_finds_nothing_serious(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    expect(page.get_by_role("radio").first).to_be_checked()
    assert _serious(page) == []

    provider.script(text="| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```")
    page.locator(".prompt").first.click()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    assert _serious(page) == []

    provider.script(status=400)
    page.get_by_label("Your message").fill("Fail, please.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert _serious(page) == []
    edit(page, 0, "Something else, please.")
    expect(page.get_by_role("dialog", name="Ask again from here?")).to_be_visible()
    assert _serious(page) == []
    page.get_by_role("button", name="Keep it as it is").click()
    assert _serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _serious(page: object) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html']}" for v in found if v["impact"] in ("serious", "critical")]
