"""P24: conversations with a companion that was taken out of the settings stay readable."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.e2e.reading import answers, looks, say, serious, text_of
from tests.e2e.site import Site
from tests.e2e.test_paste_and_drop import drop
from tests.provider.fixture import Provider

REMOVED = "Thread.objects.filter(id='{thread}').update(companion='garden')"


@looks(390, 1280)
def test_conversation_of_a_removed_companion_is_readable(
    site: Site,
    visitor: Callable[..., BrowserContext],
    provider: Provider,
    width: int,
    theme: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "note.txt").write_text("One line.")
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    provider.script(text="Water them in the evening.")
    say(page, "When do I water tomatoes?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    site.run(REMOVED.format(thread=page.url.rsplit("/", 1)[1]))

    page.reload()
    expect(text_of(answers(page))).to_have_text("Water them in the evening.")
    expect(page.locator("#header-name")).to_have_text("Garden")
    expect(answers(page)).to_have_accessible_name("Garden, AI companion")
    expect(page.locator("#removed")).to_contain_text("The Garden companion is no longer here.")
    expect(page.get_by_label("Your message", exact=True)).to_be_hidden()
    expect(page.get_by_role("button", name="Edit")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 800})
    drop(page, tmp_path / "note.txt")
    expect(page.locator("#notice")).to_contain_text("Nothing can be written or attached here.")
    page.set_viewport_size({"width": width, "height": 200})
    page.locator("#content").hover()
    page.mouse.wheel(0, -900)
    page.get_by_role("button", name="Jump to the latest").click()
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page) == []

    page.locator("#removed").get_by_role("link", name="New conversation").click()
    expect(page.locator("#attachment")).to_be_hidden()
    expect(page.get_by_label("Your message", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", checked=True)).to_have_count(1)
