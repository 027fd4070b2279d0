"""Recurring jobs in a browser: one is made on the page, runs, and is paused on the dashboard."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.site import Site
from tests.e2e.test_admin import signed_in, until
from tests.e2e.test_dashboard import do, queues  # noqa: F401 (the fixture)

LIST = "queueing/recurringjob/"


def fits(page: Page) -> bool:
    """Return whether the page needs no scrolling to the side on a phone."""
    page.set_viewport_size({"width": 390, "height": 800})
    found = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return bool(found)


def test_recurring_job_is_made_runs_and_is_paused(
    queues: Site,  # noqa: F811
    visitor: Callable[..., BrowserContext],
) -> None:
    page = signed_in(visitor(timezone_id="Asia/Kolkata"), queues, f"{LIST}add/")
    page.get_by_label("Name").fill("made by hand")
    page.get_by_label("Cron").fill("61 * * * *")
    page.get_by_label("Kind").select_option("test.noop")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("bad minute")).to_contain_text("Write five fields")
    assert fits(page)
    page.get_by_label("Cron").fill("0 3 * * *")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.get_by_role("row").filter(has_text="made by hand")
    expect(row).to_contain_text("At 03:00 every day (Europe/Berlin)")
    expect(row.locator("time").first).to_contain_text("GMT+5:30")
    row.get_by_role("link", name="made by hand").click()
    page.get_by_role("link", name="Run now…").click()
    page.get_by_label("Reason").fill("To see it.")
    page.get_by_role("button", name="Run now").click()
    until(page, "completed")
    assert fits(page)
    page.goto(f"{queues.url}/admin/queue")
    part = (
        page.get_by_role("region", name="Recurring jobs")
        .get_by_role("listitem")
        .filter(has_text="made by hand")
    )
    expect(part).to_contain_text("run by an operator")
    part.get_by_role("button", name="Pause ticks…").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause ticks").click()
    expect(part).to_contain_text("Paused")
    expect(part.get_by_role("button", name="Resume ticks…")).to_be_visible()
    assert fits(page)
    do(queues, "from queueing.models import RecurringJob; RecurringJob.objects.all().delete()")
