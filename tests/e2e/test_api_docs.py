"""/api/docs as somebody meets it who wants to write a client: one can read it, and try it out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.reading import serious
from tests.e2e.site import Site
from tests.provider.fixture import Provider


def execute(page: Page, operation: str, **parameters: str) -> Locator:
    """Try an operation out; its answer."""
    block = page.locator(f"[id$=-{operation}]")
    block.locator(".opblock-summary-control").click()
    for name, value in parameters.items():
        block.get_by_placeholder(name).fill(value)
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table")


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_new_visitor_can_send_a_request_from_the_docs(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, theme: str
) -> None:
    page = visitor(color_scheme=theme, viewport={"width": 768, "height": 900}).new_page()
    page.goto(f"{site.url}/api/docs")
    with page.expect_response("**/api/travel") as asked:
        expect(execute(page, "ask_travel")).to_contain_text("202")
    expect(execute(page, "get_job", job_id=asked.value.json()["jobId"])).to_contain_text("chat.reply")
    assert serious(page) == []

    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    dialog.locator("#auth-bearer-value").fill("buddy_" + "x" * 43)
    dialog.get_by_role("button", name="Apply credentials").first.click()
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(execute(page, "list_threads")).to_contain_text("This token is not valid, or it was revoked.")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
