"""A second factor in a browser: set up by scanning or typing, asked for when signing in, on all widths."""

from collections.abc import Callable
from itertools import count

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import looks, serious
from tests.e2e.site import Site

PASSWORD = "long-and-own-4711"
_NUMBERS = count()


def code_of(secret: str, place: int) -> str:
    """Return the code before (0), at (1) or after (2) the present one: each works once."""
    step = list(yield_hotp_counters_from_time())[place]
    return format_hotp_value(hotp_value(secret, step))


def fits(page: Page) -> None:
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@looks(390, 768, 1280)
def test_user_sets_up_a_factor_and_signs_in_with_a_code(
    site: Site, visitor: Callable[..., BrowserContext], width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 900}, color_scheme=theme).new_page()
    name = f"owl{next(_NUMBERS)}"
    page.goto(f"{site.url}/account/sign-up/")
    expect(page.get_by_text("A forgotten password cannot be reset.")).to_be_visible()
    page.get_by_label("Name:", exact=True).fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    fits(page)
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(f"{site.url}/")

    page.goto(f"{site.url}/account/")
    fits(page)
    page.get_by_role("link", name="Second factor").click()
    fits(page)
    page.get_by_role("link", name="Set up an app").click()
    picture = page.get_by_role("img", name="QR code")
    expect(picture).to_be_visible()
    assert picture.evaluate("img => img.naturalWidth > 0"), "the content policy allows the picture"
    fits(page)
    secret = page.locator(".account__steps code").inner_text()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret, 1))
    page.get_by_role("button", name="Set up").click()
    expect(page.locator(".account__codes li")).to_have_count(10)
    fits(page)

    page.goto(f"{site.url}/account/")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site.url}/account/sign-in/?next=/account/")
    fits(page)
    page.get_by_label("Name or e-mail address").fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Enter a code")).to_be_visible()
    fits(page)
    page.get_by_label("Code").fill(code_of(secret, 2))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    for path in ("", "app/remove/", "recovery-codes/", "recovery-codes/new/"):
        page.goto(f"{site.url}/account/second-factor/{path}")
        fits(page)
