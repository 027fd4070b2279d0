"""The dates of messages and conversations, as the visitor's language and time zone have them (P23)."""

import datetime as dt
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.e2e.reading import answers, questions
from tests.e2e.site import Site

SEED = """
from datetime import datetime
from chat.models import Message, Thread
from queueing.api import new_id
for name, times in {talks!r}.items():
    thread = Thread.objects.create(owner={owner!r}, companion="travel", title=name, updated_at=times[-1])
    for number, time in enumerate(times):
        job = new_id()
        for role, text in (("user", "Question"), ("assistant", "Answer")):
            row = Message.objects.create(thread=thread, role=role, content=f"{{text}} {{number}}", job_id=job)
            Message.objects.filter(pk=row.pk).update(created_at=time)
"""
NOW = dt.datetime(2031, 3, 10, 20, 50, tzinfo=dt.UTC)  # in Auckland it is the morning of the 11th


def test_times_of_other_days_have_their_dates_also_over_midnight(
    site: Site, visitor: Callable[..., BrowserContext]
) -> None:
    page = visitor(locale="en-NZ", timezone_id="Pacific/Auckland").new_page()
    page.clock.set_system_time(NOW)
    page.goto(site.url)
    owner = page.locator("#app").get_attribute("data-owner")
    talks = {
        "Long ago": ["2029-12-31T11:30Z", "2031-02-10T22:55Z", "2031-03-10T10:55Z", "2031-03-10T20:45Z"],
        "Last month": ["2031-02-08T22:55Z"],
    }
    site.run(SEED.format(owner=owner, talks=talks))
    page.reload()
    rows = page.locator("#threads .thread")
    expect(rows.nth(0).locator("time")).to_have_text("9:45 am")
    expect(rows.nth(1).locator("time")).to_have_text("9 Feb")
    link = rows.nth(1).get_by_role("link").first
    expect(link).to_have_attribute("title", "Last month · Travel · Sunday, 9 February 2031 at 11:55 am")

    rows.nth(0).get_by_role("link").first.click()
    days = page.locator("#view .day")
    past = ["Tuesday, 1 January 2030", "Tuesday, 11 February"]
    expect(days).to_have_text([past[0], past[1], "Yesterday", "Today"])
    time = answers(page).nth(1).locator("time")
    expect(time).to_have_text("11:55 am")
    full = "Tuesday, 11 February 2031 at 11:55 am"
    expect(time).to_have_attribute("title", full)
    expect(time).to_have_attribute("aria-label", full)
    expect(questions(page).nth(1).locator("time")).to_have_text(full)
    expect(questions(page).nth(1).locator(".message__text")).to_have_attribute("title", full)

    page.clock.set_system_time(NOW + dt.timedelta(hours=14, minutes=15))
    expect(days).to_have_text([past[0], past[1], "Monday, 10 March", "Yesterday"])
    expect(rows.nth(0).locator("time")).to_have_text("11 Mar")
