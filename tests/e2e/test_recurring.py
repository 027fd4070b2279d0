"""Recurring jobs in a browser: one is made on the page, runs, and is paused on the dashboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.reading import looks, serious
from tests.e2e.site import Site
from tests.e2e.test_admin import signed_in, until
from tests.e2e.test_dashboard import do, queues  # noqa: F401 (the fixture)

LIST = "queueing/recurringjob/"


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
    do(queues, "from queueing.models import RecurringJob; RecurringJob.objects.all().delete()")


@pytest.fixture
def some(queues: Site) -> Site:  # noqa: F811
    """A site with recurring jobs in each state."""
    return queues


@looks(390, 768, 1280)
def test_pages_of_recurring_jobs_fit_and_have_no_serious_axe_findings(
    some: Site, browser: Browser, width: int, theme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
    do(
        some,
        "from queueing.recurring.verbs import store, pause, run_now\n"
        "from queueing.recurring.definition import Definition\n"
        "from queueing.models import RecurringJob\n"
        "from datetime import timedelta; from django.utils import timezone\n"
        "for n, more in (('nightly report', {'cron': '0 3 * * *', 'time_zone': 'Europe/Berlin'}), ('refresh', {'every': 300}), ('old', {'every': 60})):\n"
        "    store(Definition(**({'name': n, 'kind': 'test.noop', 'time_zone': 'UTC'} | more)))\n"
        "pause('old')\n"
        "run_now('refresh')\n"
        "now = timezone.now()\n"
        "RecurringJob.objects.filter(name='refresh').update(next_at=now - timedelta(hours=3), look_at=now)\n",
    )
    page = signed_in(context, some, LIST)
    for name, path in (("list", LIST), ("add", LIST + "add/"), ("one", ""), ("do", ""), ("dash", "queue")):
        if name == "one":
            page.goto(f"{some.url}/admin/{LIST}")
            page.get_by_role("link", name="refresh").click()
        elif name == "do":
            page.get_by_role("link", name="Run now…").click()
        else:
            page.goto(f"{some.url}/admin/{path}")
        page.wait_for_load_state()
        page.screenshot(path=f"/tmp/wt/recurring/var/shots/{name}-{width}-{theme}.png", full_page=True)
        if name != "dash":
            assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    do(some, "from queueing.models import RecurringJob; RecurringJob.objects.all().delete()")
    context.close()
