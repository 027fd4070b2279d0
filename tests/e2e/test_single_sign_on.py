"""Signing in with an OpenID provider, whose pages are of another origin."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.site import Site, running
from tests.provider.fixture import Provider
from tests.support.openid_provider import CLIENT_ID, OpenIDProvider

LINK = "/account/oidc/sso/login/"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, scripted: Provider) -> Iterator[Site]:
    """A site with a provider that signs alice in."""
    provider = OpenIDProvider()
    provider.person = {"sub": "1", "preferred_username": "alice"}
    settings = {"OIDC_URL": provider.url, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": "secret"}
    settings |= {"OIDC_NAME": "Example"}
    with running(tmp_path_factory.mktemp("site"), **scripted.publishes, **settings) as site:
        yield site
    provider.stop()


def test_button_leads_to_the_provider_and_back_and_a_link_does_not(
    site: Site, visitor: Callable[..., BrowserContext]
):
    """ASVS 7.6.2. `form-action` lets no form end at the provider: a page leads on, also without scripts."""
    for has_scripts in (True, False):
        page = visitor(java_script_enabled=has_scripts).new_page()
        page.goto(site.url + LINK)
        expect(page.get_by_role("button", name="Continue")).to_be_visible()
        page.goto(site.url + "/account/sign-in/?next=/care")
        page.get_by_role("button", name="Sign in with Example").click()
        page.wait_for_url("**/care")
        page.goto(site.url + "/account/")
        expect(page.get_by_text("alice")).to_be_visible()
