"""Signing in with an OpenID provider: a real one over HTTP, which signs in whom the test names."""

import base64
import html
import re
import time
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialToken
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import User
from django.test import Client

from buddy.settings.accounts import by_provider
from chat.accounts.models import UserSession
from chat.http.checks import check_oidc
from chat.models import Thread
from tests.support.openid_provider import KEYS, STRANGE_KEY, OpenIDProvider, published_keys

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ALICE = {"sub": "1", "preferred_username": "alice", "email": "alice@example.org", "email_verified": True}
LOGIN = "/account/oidc/sso/login/"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def sign_in(client: Client, provider: OpenIDProvider, person: dict[str, Any], query: str = "") -> Any:
    """Click the button, be signed in by the provider, and come back; return the last response."""
    provider.person = person
    return client.get(come_back(leave(client, query)))


def leave(client: Client, query: str = "") -> str:
    """Click the button; return the address of the provider to which the page leads on."""
    page = client.post(LOGIN + query)
    assert page.status_code == 200, page["Location"]
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', page.content.decode())
    assert found
    return html.unescape(found[1])


def come_back(there: str) -> str:
    """Be signed in by the provider; return the address on this site to which it leads."""
    try:
        urllib.request.build_opener(_NoRedirect).open(there)
    except urllib.error.HTTPError as redirect:
        back: str = redirect.headers["Location"].removeprefix("http://testserver")
    return back


def test_first_sign_in_makes_an_account_with_the_visitors_conversations(openid_provider: OpenIDProvider):
    client = Client()
    asked = client.post("/api/travel", {"message": "Where to?"}, content_type="application/json")
    assert asked.status_code == 202
    assert b"Sign in with" in client.get("/account/sign-in/").content
    assert sign_in(client, openid_provider, ALICE, "?next=/care")["Location"] == "/care"
    user = User.objects.get()
    assert (user.username, user.email, user.has_usable_password()) == ("alice", "alice@example.org", False)
    assert EmailAddress.objects.is_verified("alice@example.org")
    assert Thread.objects.get().owner == f"u:{user.pk}"
    assert len(client.get("/api/threads").json()["threads"]) == 1
    assert not SocialToken.objects.exists()
    again = Client()
    sign_in(again, openid_provider, ALICE)
    assert len(again.get("/api/threads").json()["threads"]) == 1
    assert User.objects.count() == 1


def test_verified_address_alone_leads_to_its_account(
    openid_provider: OpenIDProvider,
):
    owner = User.objects.create_user("owner", "alice@example.org", "long-and-own-4711")
    earlier = User.objects.create_user("earlier", "bob@example.org", "long-and-own-4711")
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    EmailAddress.objects.create(user=earlier, email=earlier.email, verified=False, primary=True)
    for person, account in (
        (ALICE, owner),
        (ALICE | {"sub": "2", "email_verified": False}, None),
        (ALICE | {"sub": "3", "email": "bob@example.org"}, None),
        (ALICE | {"sub": "4", "email": None}, None),
    ):
        client = Client()
        sign_in(client, openid_provider, person)
        pk = int(client.session["_auth_user_id"])
        assert pk == account.pk if account else pk not in (owner.pk, earlier.pk), person
    owner.refresh_from_db()
    assert owner.has_usable_password(), "the account keeps its password"


@pytest.mark.parametrize(
    ("mode", "domains", "person", "created"),
    [
        ("oidc", [], ALICE, True),
        ("oidc", ["example.org"], ALICE, True),
        ("oidc", ["example.com"], ALICE, False),
        ("oidc", ["example.org"], ALICE | {"email_verified": False}, False),
        ("closed", [], ALICE, False),
        ("invited", [], ALICE, False),
    ],
)
def test_new_account_needs_what_the_operator_wants(
    openid_provider: OpenIDProvider,
    settings: Any,
    mode: str,
    domains: list[str],
    person: dict[str, Any],
    created: bool,
):
    settings.SIGN_UP, settings.SIGN_UP_DOMAINS, settings.REQUIRE_SIGN_IN = mode, domains, True
    client = Client()
    response = sign_in(client, openid_provider, person)
    assert response["Location"] == ("/" if created else "/account/sign-in/")
    assert User.objects.exists() is created
    assert client.get("/").status_code == (200 if created else 302)


def test_staff_need_a_second_factor_all_the_same(openid_provider: OpenIDProvider, settings: Any):
    settings.STAFF_SECOND_FACTOR = True
    client = Client()
    sign_in(client, openid_provider, ALICE)
    User.objects.update(is_staff=True, is_superuser=True)
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/account/second-factor/app/")


def test_user_without_a_password_proves_the_identity_at_the_provider(
    openid_provider: OpenIDProvider, settings: Any
):
    client = Client()
    sign_in(client, openid_provider, ALICE)
    assert client.get("/account/second-factor/app/").status_code == 200, "just signed in"
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    response = client.get("/account/second-factor/app/")
    assert response["Location"].startswith(LOGIN)
    page = client.get(response["Location"])
    assert b"Sign in with Example" in page.content


def test_proof_at_the_provider_gives_the_session_another_key(openid_provider: OpenIDProvider):
    """ASVS 7.2.4."""
    client = Client()
    sign_in(client, openid_provider, ALICE)
    former = client.cookies["sessionid"].value
    sign_in(client, openid_provider, ALICE)
    assert client.cookies["sessionid"].value != former
    assert UserSession.objects.count() == 1
    assert client.get("/account/sessions/").status_code == 200


@pytest.mark.parametrize("site", [None, "none", "same-origin", "cross-site"])
def test_link_signs_no_person_in(openid_provider: OpenIDProvider, site: str | None):
    """ASVS 7.6.2: only a click on a page of this site leads to the provider, in every browser."""
    client = Client(enforce_csrf_checks=True)
    response = client.get(LOGIN, headers={"Sec-Fetch-Site": site} if site else None)
    assert (response.status_code, response.has_header("Location")) == (200, False)
    assert openid_provider.url not in response.content.decode()
    assert client.post(LOGIN).status_code == 403
    client.get("/account/sign-in/")
    token = client.cookies["csrftoken"].value
    assert client.post(LOGIN, {"csrfmiddlewaretoken": token}).status_code == 200


@pytest.mark.parametrize(
    "lies",
    [
        {"id_token": {"aud": "another-site"}},
        {"id_token": {"aud": ["another-site"]}},
        {"id_token": {"iss": "https://evil.example"}},
        {"id_token": {"exp": 1}},
        {"id_token": {"exp": None}},
        {"id_token": {"nonce": "of another session"}},
        {"id_token": {"nonce": None}},
        {"/token": {"access_token": "a"}},
        {"/keys": {"keys": []}},
        {"/keys": []},
        {"/token": {"access_token": "a", "id_token": "no.token.at-all"}},
        {"/token": {"access_token": "a", "id_token": ["x"]}},
        {"/token": {"error": "invalid_grant"}},
        {"/token": []},
        {"/userinfo": {"email": "alice@example.org"}},
        {"/userinfo": ALICE | {"sub": "2"}},
        {"/userinfo": ["x"]},
    ],
    ids=str,
)
def test_answer_of_the_provider_that_is_not_for_this_site_signs_no_person_in(
    openid_provider: OpenIDProvider, lies: dict[str, Any]
):
    """ASVS 10.5.1 to 10.5.4: nonce, issuer, audience, end, `sub`. A broken answer is no error here."""
    openid_provider.lies = lies
    response = sign_in(Client(), openid_provider, ALICE)
    assert (response.status_code, response["Location"]) == (302, "/account/sign-in/")
    assert not User.objects.exists()


_PUBLIC = KEYS["rsa"].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("signs", "is_right"),
    [
        ((KEYS["rsa"], "RS256", {"kid": "rsa"}), True),
        ((KEYS["ec"], "ES256", {"kid": "ec"}), True),
        ((STRANGE_KEY, "RS256", {"kid": "rsa"}), False),
        ((STRANGE_KEY, "RS256", {"kid": "strange"}), False),
        ((KEYS["rsa"], "RS256", {"kid": "ec"}), False),
        ((KEYS["rsa"], "RS256", {}), False),
        ((_PUBLIC, "HS256", {"kid": "rsa"}), False),
        (("secret" * 8, "HS256", {"kid": "shared"}), False),
        ((None, "none", {"kid": "rsa"}), False),
    ],
    ids=lambda value: f"{value[1]} {value[2].get('kid')}" if isinstance(value, tuple) else "",
)
def test_identity_token_needs_a_signature_of_the_provider(
    openid_provider: OpenIDProvider, signs: Any, is_right: bool
):
    """ASVS 6.8.2: also over TLS, a token that is unsigned or signed by another signs no person in."""
    openid_provider.signs = signs
    shared = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"secret" * 8).decode()}
    openid_provider.lies = {"/keys": {"keys": [*published_keys(), shared]}}
    response = sign_in(Client(), openid_provider, ALICE)
    assert response["Location"] == ("/" if is_right else "/account/sign-in/")
    assert User.objects.exists() is is_right


def test_clock_of_the_provider_may_be_wrong_by_a_minute(openid_provider: OpenIDProvider):
    """A token from a moment in the future would else be refused, with a valid signature."""
    openid_provider.lies = {"id_token": {"iat": int(time.time()) + 30}}
    assert sign_in(Client(), openid_provider, ALICE)["Location"] == "/"


@pytest.mark.parametrize("said", [{"issuer": "https://evil.example"}, {}, [], None], ids=str)
def test_provider_that_says_to_be_another_is_not_used(openid_provider: OpenIDProvider, said: Any):
    """ASVS 10.5.3. Nor is one that says nothing, or nothing that can be understood."""
    before = openid_provider.answer("/.well-known/openid-configuration", {})
    client = Client()
    openid_provider.person = ALICE
    there = leave(client)
    state = parse_qs(urlsplit(there).query)["state"][0]
    openid_provider.lies = {"/.well-known/openid-configuration": before | said if said else said}
    response = client.get(f"{LOGIN}callback/?code=c&state={state}")
    assert (response.status_code, response["Location"]) == (302, "/account/sign-in/")
    assert not User.objects.exists()


def test_provider_that_is_down_leads_back_to_the_sign_in_page(openid_provider: OpenIDProvider, settings: Any):
    settings.SOCIALACCOUNT_PROVIDERS = by_provider("http://127.0.0.1:1", "buddy", "secret", "Example")
    response = Client().post(LOGIN, follow=True)
    assert response.redirect_chain == [("/account/sign-in/", 302)]
    assert b"Signing in there did not work" in response.content


def test_parameters_of_the_address_do_not_reach_the_provider(openid_provider: OpenIDProvider):
    """Else a link could exchange the address to come back to, the state or the proof key."""
    lies = "redirect_uri=https://evil.example&state=mine&code_challenge=mine&client_id=mine"
    query = urlencode(
        {"auth_params": lies, "scope": "admin", "action": "x", "process": "connect", "next": "/care"}
    )
    asked = parse_qs(urlsplit(leave(Client(), f"?{query}")).query)
    assert "mine" not in str(asked)
    assert "evil" not in str(asked)
    assert "admin" not in str(asked)


def test_answer_that_was_not_asked_for_leads_back_to_the_sign_in_page(openid_provider: OpenIDProvider):
    for query in ("?code=c&state=other", "?error=access_denied", ""):
        response = Client().get(f"{LOGIN}callback/{query}")
        assert (response.status_code, response["Location"]) == (302, "/account/sign-in/")
    assert not User.objects.exists()


def test_deactivated_user_is_not_signed_in(openid_provider: OpenIDProvider):
    client = Client()
    sign_in(client, openid_provider, ALICE)
    User.objects.update(is_active=False)
    again = Client()
    assert sign_in(again, openid_provider, ALICE)["Location"] == "/account/inactive/"
    assert "_auth_user_id" not in again.session


def test_site_without_a_provider_has_no_such_page():
    assert Client().get(LOGIN).status_code == Client().post(LOGIN).status_code == 404
    assert b"Sign in with single" not in Client().get("/account/sign-in/").content


@pytest.mark.parametrize(
    ("url", "client_id", "mode", "found"),
    [
        ("", "", "open", []),
        ("https://login.example.org", "buddy", "oidc", []),
        ("", "", "oidc", ["chat.E015"]),
        ("https://login.example.org", "", "open", ["chat.E015"]),
        ("login.example.org", "buddy", "open", ["chat.E015"]),
    ],
)
def test_provider_that_cannot_be_used_is_an_error(
    settings: Any, url: str, client_id: str, mode: str, found: Any
):
    settings.OIDC_URL, settings.OIDC_CLIENT_ID, settings.SIGN_UP = url, client_id, mode
    assert [message.id for message in check_oidc(None)] == found


@pytest.mark.parametrize(
    ("url", "https", "found"),
    [
        ("http://login.example.org", True, ["chat.W014"]),
        ("https://login.example.org", True, []),
        ("http://localhost:8080", False, []),
    ],
)
def test_provider_without_tls_of_a_public_site_is_a_warning(
    settings: Any, url: str, https: bool, found: list[str]
):
    settings.OIDC_URL, settings.OIDC_CLIENT_ID, settings.HTTPS = url, "buddy", https
    assert [message.id for message in check_oidc(None)] == found
