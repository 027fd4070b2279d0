"""The second factor: codes work once, secrets are encrypted, a lost device can be replaced."""

import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command

from chat.accounts.models import Token, UserSession
from chat.accounts.signing_in import second_factor
from tests.chat.accounts.account_client import (
    send_message,
    sign_in,
    sign_up_with_address,
    submit_form,
    thread_titles,
)
from tests.chat.browser import browser
from tests.support.mail import outbox

from .factor_steps import code_of, set_up, superuser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_sign_in_asks_for_a_code_and_keeps_the_visitors_conversations(clock):
    await superuser()
    async with browser() as laptop, browser() as phone:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        await send_message(phone, "On the phone")
        asked = await sign_in(phone, "carol", next="/account/")
        assert asked["Location"] == "/account/second-factor/code/"
        assert b"You are not signed in" in (await phone.client.get("/account/")).content
        wrong = await submit_form(phone, "second-factor/code/", code="000000")
        assert b"This code is wrong" in wrong.content
        right = await submit_form(phone, "second-factor/code/", code=code_of(secret))
        assert right["Location"] == "/account/"
        assert await thread_titles(phone) == ["On the phone"]


async def test_reset_of_the_password_leaves_the_second_factor(mail_server, clock):
    """ASVS 6.4.3: who has the mailbox alone gets no further than to the code."""
    async with browser() as laptop, browser() as thief:
        await sign_up_with_address(laptop)
        secret = await set_up(laptop)
        clock()
        await submit_form(thief, "reset/", email="alice@example.org")
        link = re.search(r"https://buddy.example.org(/account/reset/\S+)", (await outbox())[-1].body)
        assert link
        form = (await thief.client.get(link[1], follow=True)).request["path"].removeprefix("/account/")
        await submit_form(thief, form, password1="another-4711", password2="another-4711")
        assert b"You are not signed in" in (await thief.client.get("/account/")).content
        asked = await sign_in(thief, "alice@example.org", "another-4711")
        assert asked["Location"] == "/account/second-factor/code/"
        assert b"You are not signed in" in (await thief.client.get("/account/")).content
        assert (await submit_form(thief, "second-factor/code/", code=code_of(secret))).status_code == 302


async def test_code_works_once_also_within_its_time(clock):
    """The cache in which allauth remembers used codes is that of one process: here it is emptied."""
    from django.core.cache import cache

    await superuser()
    async with browser() as laptop, browser() as phone, browser() as mallory:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        code = code_of(secret)
        for thief in (phone, mallory):
            await sign_in(thief, "carol")
        assert (await submit_form(phone, "second-factor/code/", code=code)).status_code == 302
        cache.clear()
        assert (await submit_form(mallory, "second-factor/code/", code=code)).status_code == 200
        clock()
        assert (await submit_form(mallory, "second-factor/code/", code=code)).status_code == 200


async def test_code_that_arrives_twice_at_the_same_time_works_once(clock):
    await superuser()
    async with browser() as laptop:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        rows = [await Authenticator.objects.aget(type="totp") for _ in range(2)]
        uses = [await sync_to_async(second_factor.use_once)(row, code_of(secret)) for row in rows]
        assert uses == [True, False]


async def test_recovery_code_works_once(clock):
    await superuser()
    async with browser() as laptop, browser() as phone, browser() as mallory:
        await sign_in(laptop, "carol")
        await set_up(laptop)
        row = await Authenticator.objects.aget(type="recovery_codes")
        code = row.wrap().get_unused_codes()[0]
        for one in (phone, mallory):
            await sign_in(one, "carol")
        assert (await submit_form(phone, "second-factor/code/", code=code)).status_code == 302
        assert (await submit_form(mallory, "second-factor/code/", code=code)).status_code == 200


async def test_codes_over_the_limit_of_the_account_are_429(settings, clock):
    await superuser()
    async with browser() as laptop, browser() as mallory:
        await sign_in(laptop, "carol")
        secret = await set_up(laptop)
        clock()
        await sign_in(mallory, "carol")
        settings.LIMITS = settings.LIMITS | {"account": "3/minute", "login": "2/minute"}
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        for n in range(3):
            mallory.client.defaults["x-forwarded-for"] = f"192.0.2.{n}"
            wrong = await submit_form(mallory, "second-factor/code/", code="000000")
            assert wrong.status_code == 200
        refused = await submit_form(mallory, "second-factor/code/", code=code_of(secret))
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) >= 1


# --- at rest, and the lost device -------------------------------------------------------------------


async def test_secrets_are_encrypted_and_readable_after_a_change_of_the_key(settings, clock):
    await superuser()
    async with browser() as carol, browser() as phone:
        await sign_in(carol, "carol")
        secret = await set_up(carol)
        rows = str([row async for row in Authenticator.objects.values()])
        assert secret not in rows
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 9
        clock()
        await sign_in(phone, "carol")
        assert (await submit_form(phone, "second-factor/code/", code=code_of(secret))).status_code == 302


async def test_reset_command_removes_the_factor_ends_all_access_and_notifies_the_owner(mail_server):
    async with browser() as carol, browser() as phone:
        await sign_up_with_address(carol, "carol@example.org")
        await set_up(carol)
        await submit_form(carol, "tokens/", name="Script", scopes=["read"], days="")
        out = StringIO()
        await sync_to_async(call_command)("reset_second_factor", "carol@example.org", stdout=out)
        assert "was removed" in out.getvalue()
        assert not await Authenticator.objects.aexists()
        assert not await Token.objects.aexists()
        assert not await UserSession.objects.aexists()
        assert "has removed your second factor" in (await outbox())[-1].body
        assert (await sign_in(phone, "carol"))["Location"] == "/"


@pytest.mark.parametrize("name", ["carol", "unknown"])
async def test_reset_command_without_user_or_factor_reports_it(name):
    await superuser()
    with pytest.raises(CommandError):
        await sync_to_async(call_command)("reset_second_factor", name)
