"""A front end on another origin: which pages may call the API with the cookies of a visitor (CORS)."""

import json
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import AsyncClient

from buddy.settings.origins import origin_of
from chat.http.checks import check_cross_site_cookies
from chat.models import Thread
from tests.chat.browser import Tab, application

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

FRONT_END = "http://localhost:3000"
#: Origins that look like the front end.
OTHERS = [
    "http://localhost:3001",
    "http://localhost",
    "https://localhost:3000",
    "http://localhost:3000.evil.example",
    "http://evil.example",
    "http://LOCALHOST:3000",
    "http://me@localhost:3000",
    "null",
]
ASK = {"message": "Where to?"}


@pytest.fixture
def front_end(settings: Any) -> AsyncClient:
    """The browser of a person who uses a front end at FRONT_END."""
    settings.CORS_ALLOWED_ORIGINS = [FRONT_END]
    settings.CSRF_TRUSTED_ORIGINS = [FRONT_END]
    settings.MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", *settings.MIDDLEWARE]
    return AsyncClient(enforce_csrf_checks=True)


async def post(client: AsyncClient, origin: str, path: str = "/api/travel", body: Any = ASK) -> Any:
    return await client.post(
        path, json.dumps(body), content_type="application/json", headers={"Origin": origin}
    )


async def test_pages_of_the_front_end_ask_with_the_visitors_cookies(front_end: AsyncClient):
    first = await post(front_end, FRONT_END)
    assert (first.status_code, first["Access-Control-Allow-Origin"]) == (202, FRONT_END)
    assert first["Access-Control-Allow-Credentials"] == "true"
    assert "origin" in first["Vary"].lower()
    again = await post(front_end, FRONT_END, body=ASK | {"threadId": first.json()["threadId"]})
    assert again.status_code == 202, "the cookies of the first answer name the visitor"
    listed = await front_end.get("/api/threads", headers={"Origin": FRONT_END})
    assert len(listed.json()["threads"]) == await Thread.objects.acount() == 1
    changed = await front_end.generic(
        "DELETE", f"/api/threads/{first.json()['threadId']}", headers={"Origin": FRONT_END}
    )
    assert changed.status_code == 204


@pytest.mark.parametrize("origin", OTHERS)
async def test_pages_of_other_origins_read_and_change_nothing(front_end: AsyncClient, origin: str):
    await post(front_end, FRONT_END)
    for response in (
        await post(front_end, origin),
        await post(AsyncClient(enforce_csrf_checks=True), origin),
        await front_end.get("/api/threads", headers={"Origin": origin}),
        await preflight(front_end, origin),
    ):
        assert "Access-Control-Allow-Origin" not in response
        assert response.status_code == 403 or response.request["method"] != "POST"
    assert await Thread.objects.acount() == 1


async def preflight(client: AsyncClient, origin: str, path: str = "/api/travel") -> Any:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    return await client.options(path, headers={"Origin": origin} | asked)


async def test_preflight_allows_what_the_api_needs(front_end: AsyncClient):
    response = await preflight(front_end, FRONT_END)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == FRONT_END
    allowed = response["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("content-type", "authorization", "buddy-owner", "last-event-id"))
    assert {"PATCH", "DELETE", "PUT"} <= set(response["Access-Control-Allow-Methods"].split(", "))


@pytest.mark.parametrize("path", ["/", "/account/", "/account/sign-in/", "/admin/", "/healthz"])
async def test_pages_of_the_site_are_not_for_the_front_end(front_end: AsyncClient, path: str):
    """The account is changed on the pages of the site alone."""
    response = await front_end.get(path, headers={"Origin": FRONT_END})
    assert "Access-Control-Allow-Origin" not in response
    assert (await post(front_end, FRONT_END, path)).status_code in (403, 405)


async def test_errors_can_be_read_by_the_front_end(front_end: AsyncClient):
    response = await post(front_end, FRONT_END, body={"message": " "})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (422, FRONT_END)


@pytest.mark.parametrize("origin", [FRONT_END, *OTHERS])
async def test_socket_opens_for_the_front_end_alone(front_end: AsyncClient, origin: str):
    headers = [(b"host", b"localhost:8000"), (b"origin", origin.encode())]
    tab = Tab(application, "/ws/", headers=headers)
    assert (await tab.connect(timeout=10))[0] is (origin == FRONT_END)
    await tab.disconnect()


@pytest.mark.parametrize(("origin", "leads_to"), [(FRONT_END, f"{FRONT_END}/chat"), (OTHERS[0], "/")])
async def test_sign_in_leads_back_to_the_front_end_alone(front_end: AsyncClient, origin: str, leads_to: str):
    await User.objects.acreate_user("alice", None, "long-and-own-4711")
    fields = {"login": "alice", "password": "long-and-own-4711", "next": f"{origin}/chat"}
    response = await AsyncClient().post("/account/sign-in/", fields)
    assert (response.status_code, response["Location"]) == (302, leads_to)


def test_site_without_a_front_end_has_no_cors():
    assert not configured.CORS_ALLOWED_ORIGINS
    assert not any("cors" in name for name in configured.MIDDLEWARE)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://buddy.example.org", "https://buddy.example.org"),
        ("https://Buddy.Example.org/", "https://buddy.example.org"),
        ("https://buddy.example.org:443", "https://buddy.example.org"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://büro.example", "https://xn--bro-hoa.example"),
        ("https://x:no-port", ""),
    ],
)
def test_origin_of_an_address_is_what_browsers_send(url: str, origin: str):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("wanted", "https", "found"), [(True, False, ["chat.E014"]), (True, True, []), (False, False, [])]
)
def test_cookies_for_another_site_need_https(settings: Any, wanted: bool, https: bool, found: list[str]):
    settings.CROSS_SITE_COOKIES, settings.HTTPS = wanted, https
    assert [message.id for message in check_cross_site_cookies(None)] == found
