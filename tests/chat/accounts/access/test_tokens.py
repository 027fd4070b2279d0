"""API tokens: scopes, expiry, revoking, limits, and sockets."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone

from buddy.asgi import application, sockets
from chat.accounts.access import tokens
from chat.accounts.access.middleware.websockets import OriginOrToken
from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.access.owners import keeps_something, required_scope
from chat.accounts.models import Token
from tests.chat.accounts.account_client import sign_up, submit_form
from tests.chat.browser import Tab, browser
from tests.support.proof import prove

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def issue_token(*scopes: str, name: str = "alice", **more: Any) -> str:
    user, _ = User.objects.get_or_create(username=name)
    return tokens.issue(user, name="A script", scopes=list(scopes), **more)[1]


async def call(method: str, path: str, secret: str, data: Any = None) -> Any:
    body = {"data": json.dumps(data), "content_type": "application/json"} if data is not None else {}
    client = AsyncClient(enforce_csrf_checks=True)
    return await getattr(client, method)(path, headers={"Authorization": f"Bearer {secret}"}, **body)


async def test_token_without_cookies_sends_and_reads():
    secret = await sync_to_async(issue_token)("read", "chat")
    asked = await call("post", "/api/travel", secret, {"message": "Where to?"})
    assert asked.status_code == 202
    assert not asked.cookies, "a program gets no session"
    threads = (await call("get", "/api/threads", secret)).json()["threads"]
    assert [thread["title"] for thread in threads] == ["Where to?"]
    assert (await Token.objects.aget()).last_used_at is not None


async def test_token_of_another_user_is_404_for_a_thread():
    alices, bobs = (
        await sync_to_async(issue_token)("read", "chat"),
        await sync_to_async(issue_token)("read", name="bob"),
    )
    asked = (await call("post", "/api/travel", alices, {"message": "Mine"})).json()
    assert (await call("get", f"/api/threads/{asked['threadId']}", bobs)).status_code == 404


@pytest.mark.parametrize(
    ("scopes", "method", "path", "data", "missing"),
    [
        (["read"], "post", "/api/travel", {"message": "x"}, "chat"),
        (["read"], "delete", "/api/threads/" + "0" * 32, None, "chat"),
        (["chat"], "get", "/api/threads", None, "read"),
        (["chat"], "post", "/api/analytics/track", {"events": []}, "analytics"),
    ],
)
async def test_token_without_scope_is_403(scopes, method, path, data, missing):
    refused = await call(method, path, await sync_to_async(issue_token)(*scopes), data)
    assert refused.status_code == 403
    assert (
        refused["WWW-Authenticate"] == f'Bearer realm="buddy", error="insufficient_scope", scope="{missing}"'
    )
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "insufficient_scope"


async def wrong() -> str:
    return "buddy_" + "x" * 43


async def malformed() -> str:
    return "nonsense"


async def empty() -> str:
    return ""


async def revoked() -> str:
    secret = await sync_to_async(issue_token)("read", "chat")
    await Token.objects.all().adelete()
    return secret


async def expired() -> str:
    return await sync_to_async(issue_token)("read", "chat", expires_at=timezone.now() - timedelta(seconds=1))


async def of_inactive_user() -> str:
    secret = await sync_to_async(issue_token)("read", "chat")
    await User.objects.aupdate(is_active=False)
    return secret


_INVALID = [wrong, malformed, empty, revoked, expired, of_inactive_user]


@pytest.mark.parametrize("invalid", _INVALID)
async def test_invalid_token_with_valid_session_is_401(invalid):
    secret = await invalid()
    async with browser() as alice:
        await alice.client.get("/")
        refused = await alice.client.get("/api/threads", headers={"Authorization": f"Bearer {secret}"})
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == 'Bearer realm="buddy", error="invalid_token"'
    assert refused.json()["code"] == "invalid_token"


async def test_invalid_tokens_over_the_limit_are_429(settings):
    settings.LIMITS = settings.LIMITS | {"login": "3/minute"}
    answers = [await call("get", "/api/threads", await wrong()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    good = await sync_to_async(issue_token)("read")
    assert (await call("get", "/api/threads", good)).status_code == 200


async def test_secret_is_shown_once_and_not_stored():
    async with browser() as alice:
        await sign_up(alice)
        page = await submit_form(alice, "tokens/", name="Backup", scopes=["read"], days="30")
        secret = page.content.decode().split('readonly value="')[1].split('"')[0]
        assert (await call("get", "/api/threads", secret)).status_code == 200
        kept = await Token.objects.aget()
        assert secret not in str(await Token.objects.values().aget())
        assert kept.prefix in secret
        assert len(kept.prefix) <= 12
        assert secret not in (await alice.client.get("/account/")).content.decode()
        assert page["Cache-Control"].count("no-store") == 1

        await submit_form(alice, f"tokens/{kept.pk}/revoke/")
        assert (await call("get", "/api/threads", secret)).status_code == 401


def test_account_page_shows_where_and_when_a_token_was_created_and_used():
    browser_of_alice, script = Client(REMOTE_ADDR="192.0.2.7"), Client(REMOTE_ADDR="2001:db8:1:2::3")
    browser_of_alice.force_login(User.objects.create_user("alice"))
    prove(browser_of_alice)
    page = browser_of_alice.post("/account/tokens/", {"name": "Backup", "scopes": ["read"], "days": "30"})
    assert "UTC from 192.0.2.7 · never used" in page.content.decode()
    secret = page.content.decode().split('readonly value="')[1].split('"')[0]
    script.get("/api/threads", headers={"Authorization": f"Bearer {secret}"})
    assert "UTC from 2001:db8:1:2::/64" in browser_of_alice.get("/account/").content.decode()


async def test_revoke_of_another_users_token_changes_nothing():
    await sync_to_async(issue_token)("read")
    async with browser() as bob:
        await sign_up(bob, "bob")
        await submit_form(bob, f"tokens/{(await Token.objects.aget()).pk}/revoke/")
    assert await Token.objects.acount() == 1


async def test_create_token_without_account_redirects_to_sign_in():
    async with browser() as alice:
        response = await submit_form(alice, "tokens/", name="x", scopes=["read"], days="")
        assert response["Location"].startswith("/account/sign-in/")


async def test_create_token_at_the_maximum_is_refused(monkeypatch):
    monkeypatch.setattr(tokens, "MAX_TOKENS_PER_USER", 1)
    async with browser() as alice:
        await sign_up(alice)
        for _ in range(2):
            page = await submit_form(alice, "tokens/", name="x", scopes=["read"], days="")
        assert b"Please revoke one first" in page.content
        assert await Token.objects.acount() == 1


# --- events and sockets ---------------------------------------------------------------------------


async def test_events_with_token_are_readable(workers):
    secret = await sync_to_async(issue_token)("read", "chat")
    asked = (await call("post", "/api/travel", secret, {"message": "Where to?"})).json()
    events = await call("get", f"/api/jobs/{asked['jobId']}/events", secret)
    text = b"".join([piece async for piece in events.streaming_content]).decode()
    assert "event: chat:completed" in text


def socket(secret: str, *, in_header: bool) -> Tab:
    headers = [(b"authorization", f"Bearer {secret}".encode())] if in_header else []
    protocols = None if in_header else ["buddy", f"bearer.{secret}"]
    return Tab(application, "/ws/", headers=headers, subprotocols=protocols)


@pytest.mark.parametrize("in_header", [True, False])
async def test_socket_with_token_and_without_origin_is_accepted(in_header):
    secret = await sync_to_async(issue_token)("read", "chat")
    tab = socket(secret, in_header=in_header)
    connected, protocol = await tab.connect(timeout=10)
    assert (connected, protocol) == (True, None if in_header else "buddy")
    await tab.ask("Where to?")
    heard = await tab.receive_until("chat:queued")
    assert heard[0]["owner"].startswith("u:")
    await tab.disconnect()


@pytest.mark.parametrize("invalid", _INVALID)
async def test_socket_with_invalid_token_is_refused(invalid):
    connected, _ = await socket(await invalid(), in_header=True).connect(timeout=10)
    assert not connected


@pytest.mark.parametrize(
    ("origin", "shows_token", "opens"),
    [
        (None, True, True),
        (None, False, False),
        (b"http://localhost", True, True),
        (b"https://evil.example", True, False),
        (b"https://evil.example", False, False),
    ],
)
async def test_socket_origin_and_token_decide_acceptance(settings, origin, shows_token, opens):
    settings.ALLOWED_HOSTS = ["localhost"]
    guarded = OriginOrToken(sockets)  # as in asgi.py, with the ALLOWED_HOSTS of this test
    secret = await sync_to_async(issue_token)("read", "chat")
    headers = [(b"host", b"localhost"), *([(b"origin", origin)] if origin else [])]
    protocols = ["buddy", f"bearer.{secret}"] if shows_token else None
    tab = Tab(guarded, "/ws/", headers=headers, subprotocols=protocols)
    assert (await tab.connect(timeout=10))[0] is opens
    await tab.disconnect()


async def test_revoked_token_closes_its_sockets(monkeypatch):
    monkeypatch.setattr(OpenSockets, "every", 0.1)
    secret = await sync_to_async(issue_token)("read", "chat")
    tab = socket(secret, in_header=True)
    await tab.connect(timeout=10)
    await Token.objects.all().adelete()
    assert await tab.receive_close_code(8) == 4401


@pytest.mark.parametrize("prefix", ["", "/buddy"])
@pytest.mark.parametrize(
    ("path", "scope"), [("/api/analytics/track", "analytics"), ("/api/travel", "chat"), ("/account/", "chat")]
)
def test_scope_of_a_request_is_the_same_below_a_script_prefix(prefix, path, scope):
    """FORCE_SCRIPT_NAME, or a server that mounts the site below an address."""
    request = RequestFactory(SCRIPT_NAME=prefix).post(path)
    assert request.path == prefix + path
    assert required_scope(request) == scope
    assert keeps_something(request) is (scope == "chat" and path.startswith("/api/"))
