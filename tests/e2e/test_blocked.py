"""What a person reads whom an operator blocks while the page is open."""

from playwright.sync_api import Page, expect

from tests.e2e.site import Site

REASON = "You have sent the same text a hundred times."


def block(site: Site, page: Page) -> None:
    """Block the visitor of the page, as an operator."""
    owner = page.locator("#app").get_attribute("data-owner")
    site.run(
        "from chat.accounts.blocking import block\n"
        f"block({owner!r}, reason={REASON!r}, actor='operator', days=7)"
    )


def test_blocked_visitor_reads_why_and_may_still_erase_the_own_data(site: Site, page: Page):
    page.get_by_role("textbox", name="Message").fill("Not sent yet")
    block(site, page)
    page.locator("#banner").get_by_role("button", name="Start again").click()
    expect(page.get_by_role("heading", name="You are blocked")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(REASON)
    page.get_by_role("link", name="erase it").click()
    expect(page.get_by_role("heading", name="Erase your data")).to_be_visible()


def test_visitor_blocked_without_a_connection_reads_why_when_it_is_back(site: Site, page: Page):
    """A refused WebSocket does not say why: the page would try again for ever."""
    page.context.set_offline(True)
    expect(page.locator("#banner")).to_contain_text("You are offline")
    block(site, page)
    page.context.set_offline(False)
    page.locator("#banner").get_by_role("button", name="Start again").click(timeout=30_000)
    expect(page.get_by_role("heading", name="You are blocked")).to_be_visible()
