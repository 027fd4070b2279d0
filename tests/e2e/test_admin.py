"""The admin in a browser: a failed job is found, retried and completes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.pictures.faults import measured
from tests.e2e.pictures.looks import Look, Wardrobe
from tests.e2e.reading import looks, serious
from tests.e2e.site import Site
from tests.e2e.test_dashboard import do, queues  # noqa: F401 (the fixture)


def signed_in(context: BrowserContext, site: Site, path: str) -> Page:
    page = context.new_page()
    page.goto(f"{site.url}/admin/{path}")
    page.get_by_label("Name or e-mail address").fill("carol")
    page.get_by_label("Password").fill("of-the-tests")
    page.get_by_role("button", name="Sign in").click()
    return page


@pytest.fixture
def failed(queues: Site) -> Site:  # noqa: F811
    """A site with a failed job of Alice, and a job of Bob with several attempts."""
    do(queues, 'submit("test.flaky", {"fail": 1, "how": "permanent"}, owner="s:alice")')
    do(queues, 'submit("test.flaky", {"fail": 1, "how": "retry"}, owner="s:bob", request_id="r-2")')
    return queues


def until(page: Page, text: str) -> None:
    """Reload the page until it shows the text: the page is not live."""
    for _ in range(50):
        if page.get_by_text(text, exact=True).count():
            return
        page.reload()
    raise AssertionError(f"{text!r} never came: {page.locator('#content').text_content()}")


def test_failed_job_is_found_retried_and_completes(
    failed: Site, visitor: Callable[..., BrowserContext]
) -> None:
    page = signed_in(visitor(), failed, "queueing/job/?state=failed&q=hopeless")
    until(page, "hopeless")
    page.get_by_role("row").filter(has_text="hopeless").get_by_role("link").first.click()
    expect(page.get_by_text("Attempt 1: failed")).to_be_visible()
    expect(page.get_by_text("It cannot work.").first).to_be_visible()
    page.get_by_role("link", name="Retry…").click()
    expect(page.get_by_role("heading", name="Retry this job?")).to_be_visible()
    page.get_by_label("Reason").fill("The provider is well again.")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("1 job queued again.")).to_be_visible()
    until(page, "completed")
    expect(page.get_by_text("The provider is well again.")).to_be_visible()


@looks(360, 768, 1280)
def test_admin_pages_have_no_serious_axe_findings_and_fit_width(
    failed: Site, browser: Browser, width: int, theme: str
) -> None:
    # No `visitor`, which checks the content policy: axe breaks it on pages with imported style sheets.
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    page = signed_in(context, failed, "queueing/job/?q=s:bob")
    assert serious(page) == []
    page.locator("#result_list").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{failed.url}/admin/")
    assert serious(page) == []
    context.close()


def test_admin_and_dashboard_have_whole_words_at_any_size(failed: Site, browser: Browser) -> None:
    """P16, also on the pages of the staff."""
    context = browser.new_context()
    page = signed_in(context, failed, "")
    wardrobe = Wardrobe(page)
    job = "queueing/job/?q=s:bob"
    for path in ("", job, "queue"):
        page.goto(f"{failed.url}/admin/{path}")
        for look in (Look(320), Look(320, 200), Look(390, 150, "dark"), Look(1280, 200), Look(1280, 400)):
            wardrobe.wear(look)
            assert measured(page) == [], f"{path} {look}"
    page.goto(f"{failed.url}/admin/{job}")
    page.locator("#result_list").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    for look in (Look(320, 200), Look(390, 150), Look(1280, 200)):
        wardrobe.wear(look)
        assert measured(page) == [], look
    context.close()
