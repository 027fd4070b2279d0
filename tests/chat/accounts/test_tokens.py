"""API tokens: what a program may do with one, and what nobody may."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from buddy.asgi import application, sockets
from chat.accounts import tokens
from chat.accounts.models import Token
from chat.accounts.websocket_auth import OriginOrToken
from tests.chat.tabs import Tab, browser

from .signing import posted, signed_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def token(*scopes: str, name: str = "alice", **more: Any) -> str:
    user, _ = User.objects.get_or_create(username=name)
    return tokens.issue(user, name="A script", scopes=list(scopes), **more)[1]


async def call(method: str, path: str, secret: str, data: Any = None) -> Any:
    body = {"data": json.dumps(data), "content_type": "application/json"} if data is not None else {}
    client = AsyncClient(enforce_csrf_checks=True)
    return await getattr(client, method)(path, headers={"Authorization": f"Bearer {secret}"}, **body)


async def test_a_program_asks_and_reads_without_cookie_or_csrf_token():
    secret = await sync_to_async(token)("read", "chat")
    asked = await call("post", "/api/travel", secret, {"message": "Where to?"})
    assert asked.status_code == 202
    assert not asked.cookies, "no session is made for a program"
    threads = (await call("get", "/api/threads", secret)).json()["threads"]
    assert [thread["title"] for thread in threads] == ["Where to?"]
    assert (await Token.objects.aget()).last_used_at is not None


async def test_a_token_sees_what_its_user_has_and_nobody_elses():
    alices, bobs = await sync_to_async(token)("read", "chat"), await sync_to_async(token)("read", name="bob")
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
async def test_what_is_not_in_its_scopes_is_refused(scopes, method, path, data, missing):
    refused = await call(method, path, await sync_to_async(token)(*scopes), data)
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
    secret = await sync_to_async(token)("read", "chat")
    await Token.objects.all().adelete()
    return secret


async def expired() -> str:
    return await sync_to_async(token)("read", "chat", expires_at=timezone.now() - timedelta(seconds=1))


async def of_a_locked_account() -> str:
    secret = await sync_to_async(token)("read", "chat")
    await User.objects.aupdate(is_active=False)
    return secret


_BAD = [wrong, malformed, empty, revoked, expired, of_a_locked_account]


@pytest.mark.parametrize("bad", _BAD)
async def test_a_token_that_is_none_is_refused_even_beside_a_session(bad):
    secret = await bad()
    async with browser() as alice:
        await alice.client.get("/")
        refused = await alice.client.get("/api/threads", headers={"Authorization": f"Bearer {secret}"})
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == 'Bearer realm="buddy", error="invalid_token"'
    assert refused.json()["code"] == "invalid_token"


async def test_trying_tokens_is_slowed_down(settings):
    settings.LIMITS = settings.LIMITS | {"login": "3/minute"}
    answers = [await call("get", "/api/threads", await wrong()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    good = await sync_to_async(token)("read")
    assert (await call("get", "/api/threads", good)).status_code == 200


async def test_the_secret_is_shown_once_and_kept_nowhere():
    async with browser() as alice:
        await signed_up(alice)
        page = await posted(alice, "tokens/", name="Backup", scopes=["read"], days="30")
        secret = page.content.decode().split('readonly value="')[1].split('"')[0]
        assert (await call("get", "/api/threads", secret)).status_code == 200
        kept = await Token.objects.aget()
        assert secret not in str(await Token.objects.values().aget())
        assert kept.start in secret
        assert len(kept.start) <= 12
        assert secret not in (await alice.client.get("/account/")).content.decode()
        assert page["Cache-Control"].count("no-store") == 1

        await posted(alice, f"tokens/{kept.pk}/revoke/")
        assert (await call("get", "/api/threads", secret)).status_code == 401


async def test_nobody_revokes_anothers_token():
    await sync_to_async(token)("read")
    async with browser() as bob:
        await signed_up(bob, "bob")
        await posted(bob, f"tokens/{(await Token.objects.aget()).pk}/revoke/")
    assert await Token.objects.acount() == 1


async def test_a_visitor_without_an_account_makes_no_token():
    async with browser() as alice:
        response = await posted(alice, "tokens/", name="x", scopes=["read"], days="")
        assert response["Location"].startswith("/account/sign-in/")


async def test_tokens_are_bounded(monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 1)
    async with browser() as alice:
        await signed_up(alice)
        for _ in range(2):
            page = await posted(alice, "tokens/", name="x", scopes=["read"], days="")
        assert b"Please revoke one first" in page.content
        assert await Token.objects.acount() == 1


# --- events and sockets ---------------------------------------------------------------------------


async def test_events_are_read_with_a_token(workers):
    secret = await sync_to_async(token)("read", "chat")
    asked = (await call("post", "/api/travel", secret, {"message": "Where to?"})).json()
    events = await call("get", f"/api/jobs/{asked['jobId']}/events", secret)
    told = b"".join([piece async for piece in events.streaming_content]).decode()
    assert "event: chat:completed" in told


def socket(secret: str, *, in_header: bool) -> Tab:
    headers = [(b"authorization", f"Bearer {secret}".encode())] if in_header else []
    protocols = None if in_header else ["buddy", f"bearer.{secret}"]
    return Tab(application, "/ws/", headers=headers, subprotocols=protocols)


@pytest.mark.parametrize("in_header", [True, False])
async def test_a_program_opens_a_socket_without_an_origin(in_header):
    secret = await sync_to_async(token)("chat")
    tab = socket(secret, in_header=in_header)
    connected, protocol = await tab.connect(timeout=10)
    assert (connected, protocol) == (True, None if in_header else "buddy")
    await tab.ask("Where to?")
    heard = await tab.hear_until("chat:queued")
    assert heard[0]["owner"].startswith("u:")
    await tab.disconnect()


@pytest.mark.parametrize("bad", _BAD)
async def test_a_socket_with_a_token_that_is_none_is_not_opened(bad):
    connected, _ = await socket(await bad(), in_header=True).connect(timeout=10)
    assert not connected


async def test_a_socket_needs_the_chat_scope():
    reads = await sync_to_async(token)("read")
    assert not (await socket(reads, in_header=True).connect(timeout=10))[0]


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
async def test_a_page_must_be_ours_and_a_program_must_show_a_token(settings, origin, shows_token, opens):
    settings.ALLOWED_HOSTS = ["localhost"]
    guarded = OriginOrToken(sockets)  # as asgi.py has it, but for the tests' ALLOWED_HOSTS
    secret = await sync_to_async(token)("chat")
    headers = [(b"origin", origin)] if origin else []
    protocols = ["buddy", f"bearer.{secret}"] if shows_token else None
    tab = Tab(guarded, "/ws/", headers=headers, subprotocols=protocols)
    assert (await tab.connect(timeout=10))[0] is opens
    await tab.disconnect()


async def test_revoking_a_token_closes_its_sockets():
    secret = await sync_to_async(token)("chat")
    tab = socket(secret, in_header=True)
    await tab.connect(timeout=10)
    await Token.objects.all().adelete()
    assert await tab.closed_with(8) == 4401
