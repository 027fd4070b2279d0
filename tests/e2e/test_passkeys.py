"""Passkeys in a browser, with an authenticator of Chromium's: created, used in each way, and refused."""

from collections.abc import Callable
from itertools import count
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import looks, serious
from tests.e2e.site import Site

PASSWORD = "long-and-own-4711"
_NUMBERS = count()


class Device:
    """The authenticator of a page's device."""

    def __init__(self, page: Page) -> None:
        self._tools = page.context.new_cdp_session(page)
        self._tools.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
        options |= dict.fromkeys(("hasResidentKey", "hasUserVerification", "isUserVerified"), True)
        added = self._tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = added["authenticatorId"]

    def accept(self, accepts: bool) -> None:
        """Recognise the person in front of it, or not."""
        self._tools.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": accepts})


def fits(page: Page) -> None:
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def sign_up(page: Page, url: str) -> str:
    name = f"kite{next(_NUMBERS)}"
    page.goto(f"{url}/account/sign-up/")
    page.get_by_label("Name:", exact=True).fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(f"{url}/")
    return name


def sign_out(page: Page, url: str) -> None:
    page.goto(f"{url}/account/")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{url}/")


@looks(390, 768, 1280)
def test_user_creates_a_passkey_and_signs_in_with_it_in_both_ways(
    site: Site, visitor: Callable[..., BrowserContext], width: int, theme: str
) -> None:
    """A name with `localhost` is a secure context, and has passkeys."""
    url = site.url.replace("127.0.0.1", "localhost")
    page = visitor(viewport={"width": width, "height": 900}, color_scheme=theme).new_page()
    device = Device(page)
    name = sign_up(page, url)
    page.goto(f"{url}/account/second-factor/")
    fits(page)
    page.get_by_role("link", name="Create a passkey").click()
    expect(page.get_by_label("Name:")).to_have_value("Chrome on Linux")
    fits(page)
    device.accept(False)
    page.get_by_role("button", name="Create a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("No passkey was used. You can try again.")
    fits(page)
    device.accept(True)
    page.get_by_role("button", name="Create a passkey").click()
    expect(page.get_by_text("The passkey was created.")).to_be_visible()
    expect(page.locator(".account__codes li")).to_have_count(10)
    page.goto(f"{url}/account/second-factor/passkeys/new/")
    page.get_by_role("button", name="Create a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("This device already has a passkey of your account.")

    sign_out(page, url)
    page.goto(f"{url}/account/sign-in/?next=/account/second-factor/")
    fits(page)
    device.accept(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("No passkey was used. You can try again.")
    device.accept(True)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("last used")).to_be_visible()
    fits(page)

    sign_out(page, url)
    page.goto(f"{url}/account/sign-in/?next=/account/second-factor/")
    page.get_by_label("Name or e-mail address").fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Use your second factor")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("last used")).to_be_visible()

    page.goto(f"{url}/account/second-factor/passkeys/confirm/?next=/account/sessions/")
    fits(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    page.goto(f"{url}/account/second-factor/")
    page.get_by_role("link", name="Remove the passkey Chrome on Linux").click()
    fits(page)
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("The passkey was removed.")).to_be_visible()
    sign_out(page, url)
    page.goto(f"{url}/account/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("This passkey was not accepted. Please try again.")
    fits(page)


def test_page_where_browsers_have_no_passkeys_says_why(
    site: Site, visitor: Callable[..., BrowserContext]
) -> None:
    """By a name without HTTPS, by an address, and without scripts."""
    button = "Sign in with a passkey"
    reasons = {
        "buddy.lan": "Passkeys work only on pages with HTTPS",
        "127.0.0.1": "open the site as localhost",
    }
    page = visitor().new_page()
    for host, reason in reasons.items():
        page.goto(f"{site.url.replace('127.0.0.1', host)}/account/sign-in/")
        expect(page.get_by_text(reason)).to_be_visible()
        expect(page.get_by_role("button", name=button)).to_be_hidden()
        fits(page)
    old: Any = visitor()
    old.add_init_script("delete window.PublicKeyCredential")
    page = old.new_page()
    page.goto(f"{site.url.replace('127.0.0.1', 'localhost')}/account/sign-in/")
    expect(page.get_by_text("This browser cannot use passkeys.")).to_be_visible()
    page = visitor(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/account/sign-in/")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=button)).to_be_hidden()
