"""The analytics page in a browser: selection and export, at three widths and in both themes."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import looks, serious
from tests.e2e.site import Site
from tests.support.cluster import ROOT

#: A member of staff, and some weeks of figures.
PREPARE = """
import django
django.setup()
from django.contrib.auth.models import User
from tests.chat.analytics.sample_data import store_sample_calls, store_sample_events
User.objects.create_superuser("carol", password="of-the-tests")
store_sample_events(6000)
store_sample_calls(2000)
"""


@pytest.fixture(scope="module")
def site_with_data(site: Site) -> Site:
    """Return the site with sample data."""
    subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=site.environment, check=True)
    return site


def _open_page(context: BrowserContext, site: Site, query: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{site.url}/admin/analytics/{query}")
    page.get_by_label("Name or e-mail address").fill("carol")
    page.get_by_label("Password").fill("of-the-tests")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Analytics")).to_be_visible()
    return page


def test_page_selects_span_and_companion_and_exports(
    site_with_data: Site, visitor: Callable[..., BrowserContext]
) -> None:
    page = _open_page(visitor(), site_with_data)
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="90 days").click()
    page.get_by_role("link", name="Travel").click()
    expect(page).to_have_url(f"{site_with_data.url}/admin/analytics/?span=90d&companion=travel")
    drawing = page.get_by_role("img", name="Messages")
    expect(drawing).to_be_visible()
    expect(drawing.locator("rect")).not_to_have_count(0)
    page.locator("#messages summary").press("Enter")
    expect(page.locator("#messages tbody tr")).to_have_count(90)
    with page.expect_download() as download:
        page.get_by_role("link", name="Events as CSV").click()
    assert download.value.suggested_filename == "events-travel-90d.csv"
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "at,name,companion,visitor,properties"
    assert len(lines) > 1000


@looks(360, 768, 1280)
@pytest.mark.parametrize("span", ["24h", "90d"])
def test_page_is_accessible_and_not_cut_off(
    site_with_data: Site, visitor: Callable[..., BrowserContext], span: str, width: int, theme: str
) -> None:
    context = visitor(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = _open_page(context, site_with_data, f"?span={span}")
    page.locator("summary").first.click()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for text in page.locator(".plot__drawing text").all():
        assert text.evaluate(
            """(text) => {
                const box = text.getBoundingClientRect();
                const frame = text.closest("svg").getBoundingClientRect();
                const sides = box.left >= frame.left - 1 && box.right <= frame.right + 1;
                return sides && box.bottom <= frame.bottom + 1;
            }"""
        ), text.text_content()
