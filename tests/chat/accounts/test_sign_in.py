"""Who does not get in."""

import re

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from tests.chat.tabs import Browser, browser

from .signing import PASSWORD, asked, posted, signed_in, signed_up, titles

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def strict() -> Browser:
    """A browser whose forged requests are refused."""
    one = Browser()
    one.client = AsyncClient(enforce_csrf_checks=True)
    return one


async def test_a_session_from_before_opens_nothing_after_signing_in():
    """Session fixation: who planted the cookie is not signed in with it."""
    async with browser() as alice, browser() as mallory:
        await asked(alice, "Mine")
        planted = alice.client.cookies["sessionid"].value
        await signed_up(alice)
        assert alice.client.cookies["sessionid"].value != planted
        mallory.client.cookies["sessionid"] = planted
        assert await titles(mallory) == []
        assert not await Session.objects.filter(session_key=planted).aexists()


@pytest.mark.parametrize("path", ["sign-in/", "sign-up/", "sign-out/", "password/", "tokens/", "erase/"])
async def test_forms_from_elsewhere_are_refused(path):
    alice = strict()
    await alice.client.get("/")
    response = await alice.client.post(f"/account/{path}", {"username": "x", "sure": "on"})
    assert response.status_code == 403


@pytest.mark.parametrize("page", ["sign-in/", "sign-up/"])
@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "https:evil.example", "/\\evil.example", "javascript:x"],
)
async def test_next_leads_nowhere_else(page, target):
    async with browser() as alice:
        if page == "sign-in/":
            await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
            response = await signed_in(alice, next=target)
        else:
            response = await signed_up(alice, next=target)
        assert (response.status_code, response["Location"]) == (302, "/")


async def test_next_leads_to_pages_of_ours():
    async with browser() as alice:
        assert (await signed_up(alice, next="/account/"))["Location"] == "/account/"


async def test_a_wrong_password_and_a_wrong_name_are_answered_alike():
    await sync_to_async(User.objects.create_user)("alice", "alice@example.org", PASSWORD)
    async with browser() as alice:
        wrong = await signed_in(alice, "alice", "nope")
        unknown = await signed_in(alice, "nobody", "nope")
        strip = lambda r, name: re.sub(r'value="[^"]*"', "", r.content.decode()).replace(name, "")  # noqa: E731
        assert strip(wrong, "alice") == strip(unknown, "nobody")
        assert wrong.status_code == unknown.status_code == 200


async def test_an_email_address_is_a_name_in_any_case():
    async with browser() as alice, browser() as phone:
        await signed_up(alice, "Alice@Example.org")
        assert (await User.objects.aget()).email == "alice@example.org"
        assert (await signed_in(phone, "ALICE@example.ORG")).status_code == 302
        taken = await signed_up(phone, "alice@EXAMPLE.org")
        assert b"already exists" in taken.content


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("alice", "12345678", b"entirely numeric"),
        ("alice", "password", b"too common"),
        ("alicealice", "alicealice", b"too similar"),
        ("alice", "short", b"too short"),
        ("a b", PASSWORD, b"valid username"),
        ("alice@", PASSWORD, b"is none"),
    ],
)
async def test_signing_up_says_what_is_wrong_and_makes_nobody(name, password, says):
    async with browser() as alice:
        response = await posted(alice, "sign-up/", username=name, password1=password, password2=password)
        assert says in response.content
        assert not await User.objects.aexists()


async def test_guessing_passwords_is_slowed_down(settings):
    settings.LIMITS = settings.LIMITS | {"login": "3/minute"}
    await sync_to_async(User.objects.create_user)("alice", password=PASSWORD)
    async with browser() as mallory:
        for _ in range(3):
            assert (await signed_in(mallory, password="guess")).status_code == 200
        refused = await signed_in(mallory)
        assert refused.status_code == 429
        assert 1 <= int(refused["Retry-After"]) <= 61
        assert b"too many attempts" in refused.content
