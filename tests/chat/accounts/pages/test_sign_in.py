"""Signing in and up: redirects, errors, limits and session fixation."""

import logging
import re

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from chat.accounts.access.sessions.store import ENDED, stored_key
from tests.chat.accounts.account_client import (
    PASSWORD,
    send_message,
    sign_in,
    sign_up,
    sign_up_with_address,
    submit_form,
    thread_titles,
)
from tests.chat.browser import Browser, browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def browser_with_csrf_checks() -> Browser:
    """Return a browser with CSRF checks enabled."""
    one = Browser()
    one.client = AsyncClient(enforce_csrf_checks=True)
    return one


async def test_session_from_before_sign_up_is_not_signed_in():
    """Session fixation: a planted cookie must not be signed in."""
    async with browser() as alice, browser() as mallory:
        await send_message(alice, "Mine")
        planted = alice.client.cookies["sessionid"].value
        await sign_up(alice)
        assert alice.client.cookies["sessionid"].value != planted
        mallory.client.cookies["sessionid"] = planted
        assert await thread_titles(mallory) == []
        planted_row = Session.objects.filter(session_key=stored_key(planted))
        assert not await planted_row.exclude(session_data=ENDED).aexists()


@pytest.mark.parametrize("path", ["sign-in/", "sign-up/", "sign-out/", "password/", "tokens/", "erase/"])
async def test_form_without_csrf_token_is_403(path):
    alice = browser_with_csrf_checks()
    await alice.client.get("/")
    response = await alice.client.post(f"/account/{path}", {"username": "x", "confirmed": "on"})
    assert response.status_code == 403


@pytest.mark.parametrize("page", ["sign-in/", "sign-up/"])
@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "https:evil.example", "/\\evil.example", "javascript:x"],
)
async def test_next_with_foreign_address_redirects_to_start(page, target):
    async with browser() as alice:
        if page == "sign-in/":
            await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
            response = await sign_in(alice, next=target)
        else:
            response = await sign_up(alice, next=target)
        assert (response.status_code, response["Location"]) == (302, "/")


async def test_next_with_own_page_redirects_there():
    async with browser() as alice:
        assert (await sign_up(alice, next="/account/"))["Location"] == "/account/"


async def test_wrong_password_and_unknown_name_get_the_same_response():
    await sync_to_async(User.objects.create_user)("alice", "alice@example.org", PASSWORD)
    async with browser() as alice:
        wrong = await sign_in(alice, "alice", "nope")
        unknown = await sign_in(alice, "nobody", "nope")
        strip = lambda r, name: re.sub(r'value="[^"]*"', "", r.content.decode()).replace(name, "")  # noqa: E731
        assert strip(wrong, "alice") == strip(unknown, "nobody")
        assert wrong.status_code == unknown.status_code == 200


async def test_address_is_case_insensitive(mail_server):
    async with browser() as alice, browser() as phone:
        await sign_up_with_address(alice, "Alice@Example.org")
        assert (await User.objects.aget()).email == "alice@example.org"
        assert (await sign_in(phone, "ALICE@example.ORG")).status_code == 302


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("alice", "12345678", b"too common"),
        ("alice", "Buddy-Companion", b"the name of this site"),
        ("alice", "travel-2026", b"the name of this site"),
        ("alice", "password", b"too common"),
        ("alicealice", "alicealice", b"too similar"),
        ("alice", "short", b"too short"),
        ("a b", PASSWORD, b"valid username"),
        ("alice@example.org", PASSWORD, b"cannot be an e-mail address"),
    ],
)
async def test_invalid_sign_up_shows_the_error_and_creates_no_user(name, password, says):
    async with browser() as alice:
        response = await submit_form(alice, "sign-up/", username=name, password1=password, password2=password)
        assert says in response.content
        assert not await User.objects.aexists()


async def test_password_counts_as_it_is_typed_and_to_its_end():
    """ASVS 6.2.8, 6.2.9: no case, space or character is changed, and none after the 64th is dropped."""
    password = " Grüße, 字 😀 " + "x" * 120 + " end "
    async with browser() as alice, browser() as phone:
        fields = {"username": "alice", "password1": password, "password2": password}
        assert (await submit_form(alice, "sign-up/", **fields)).status_code == 302
        for other in (password.strip(), password.lower(), password[:64], password[:-5] + " And "):
            assert (await sign_in(phone, "alice", other)).status_code == 200
        assert (await sign_in(phone, "alice", password)).status_code == 302


async def test_sign_in_is_logged_with_the_user_and_how_without_the_name(caplog):
    """ASVS 16.3.1."""
    user = await User.objects.acreate_user("alice", password=PASSWORD)
    with caplog.at_level(logging.INFO, logger="chat.accounts.signing_in.sessions"):
        async with browser() as alice:
            await sign_in(alice)
    assert [
        one.getMessage() for one in caplog.records if one.name == "chat.accounts.signing_in.sessions"
    ] == [f"user {user.pk} signed in by password from 127.0.0.1"]


@pytest.mark.parametrize("page", ["sign-in/", "sign-up/", "password/", "erase/"])
async def test_field_of_a_password_is_masked_and_left_to_the_browser(page):
    """ASVS 6.2.6, 6.2.7: password managers know the fields, and no script hears what is pasted there."""
    async with browser() as alice:
        if page not in ("sign-in/", "sign-up/"):
            await sign_up(alice)
        html = (await alice.client.get(f"/account/{page}")).content.decode()
        fields = re.findall(r"<input[^>]*password[^>]*>", html)
        assert fields
        for field in fields:
            assert 'type="password"' in field
            assert re.search(r'autocomplete="(current|new)-password"', field), field
        scripts = {src.rpartition("/")[2] for src in re.findall(r'<script[^>]*src="([^"]*)"', html)}
        assert scripts <= {"passkeys.js", "theme.js", "early.js"}, scripts
        assert not re.search(r"\son\w+=", html)


async def test_sign_in_over_the_limit_is_429(settings):
    settings.LIMITS = settings.LIMITS | {"login": "3/minute"}
    await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
    async with browser() as mallory:
        for _ in range(3):
            assert (await sign_in(mallory, password="guess")).status_code == 200
        refused = await sign_in(mallory)
        assert refused.status_code == 429
        assert 1 <= int(refused["Retry-After"]) <= 61
        assert b"Too many sign-in attempts" in refused.content
