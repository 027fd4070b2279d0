"""A user creates a passkey, signs in with it alone, and removes it."""

import pytest
from allauth.mfa.models import Authenticator as Row
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from chat.accounts.pages import passkeys
from tests.chat.accounts.account_client import (
    send_message,
    sign_in,
    sign_up,
    sign_up_with_address,
    submit_form,
    thread_titles,
)
from tests.chat.browser import browser
from tests.support.authenticator import Authenticator, encoded
from tests.support.mail import outbox
from tests.support.proof import prove

from .steps import CODE, NEW, SIGN_IN, asked_to_sign_in, by_https, create, is_signed_in, notices, question

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_user_creates_a_passkey_and_signs_in_with_it_alone():
    """The conversations of the visitor move, and the page that was asked for opens."""
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone:
        await sign_up(by_https(laptop))
        created = await create(laptop, passkey)
        assert created["Location"] == "/account/second-factor/recovery-codes/"
        page = (await laptop.client.get("/account/second-factor/")).content.decode()
        assert "My phone" in page
        assert "never used" in page
        await send_message(by_https(phone), "On the phone")
        answer = passkey.get(await asked_to_sign_in(phone))
        done = await submit_form(phone, SIGN_IN, credential=answer, next="/account/sessions/")
        assert done["Location"] == "/account/sessions/"
        assert await thread_titles(phone) == ["On the phone"]
        assert "last used" in (await laptop.client.get("/account/second-factor/")).content.decode()


async def test_answer_of_a_passkey_signs_in_once():
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone, browser() as thief:
        await sign_up(by_https(laptop))
        await create(laptop, passkey)
        answer = passkey.get(await asked_to_sign_in(by_https(phone)))
        await submit_form(phone, SIGN_IN, credential=answer)
        assert await is_signed_in(phone)
        await asked_to_sign_in(by_https(thief))
        for one in (thief, phone):
            await submit_form(one, "sign-out/")
            refused = await submit_form(one, SIGN_IN, credential=answer)
            assert "was not accepted" in await notices(one, refused)
            assert not await is_signed_in(one)


async def test_deactivated_user_is_not_signed_in_and_removed_passkey_opens_nothing():
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone:
        await sign_up(by_https(laptop))
        await create(laptop, passkey)
        await User.objects.aupdate(is_active=False)
        answer = passkey.get(await asked_to_sign_in(by_https(phone)))
        assert (await submit_form(phone, SIGN_IN, credential=answer))["Location"] == "/account/inactive/"
        await User.objects.aupdate(is_active=True)
        await sync_to_async(prove)(laptop.client) if await is_signed_in(laptop) else None
        row = await Row.objects.aget(type="webauthn")
        await row.adelete()
        answer = passkey.get(await asked_to_sign_in(phone))
        await submit_form(phone, SIGN_IN, credential=answer)
        assert not await is_signed_in(phone)


async def test_password_alone_no_longer_signs_in_and_the_passkey_is_the_second_step():
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone:
        await sign_up(by_https(laptop))
        await create(laptop, passkey)
        assert (await sign_in(by_https(phone)))["Location"] == f"/account/{CODE}"
        assert not await is_signed_in(phone)
        asked = await question(phone, CODE)
        assert [one["id"] for one in asked["publicKey"]["allowCredentials"]] == [encoded(passkey.id)]
        wrong = await submit_form(phone, CODE, credential=Authenticator(id=passkey.id).get(asked))
        assert b"was not accepted" in wrong.content
        done = await submit_form(phone, CODE, credential=passkey.get(await question(phone, CODE)))
        assert done.status_code == 302
        assert await is_signed_in(phone)


async def test_owner_is_told_of_passkeys_and_removes_one(mail_server):
    async with browser() as alice:
        await sign_up_with_address(by_https(alice))
        await create(alice, Authenticator())
        assert "A passkey was created." in (await outbox())[-1].body
        row = await Row.objects.aget(type="webauthn")
        await submit_form(alice, f"second-factor/passkeys/{row.pk}/remove/")
        assert "A passkey was removed." in (await outbox())[-1].body
        assert not await Row.objects.aexists(), "nor are there recovery codes"


async def test_passkey_of_another_is_not_found():
    async with browser() as alice, browser() as mallory:
        await sign_up(by_https(alice))
        await create(alice, Authenticator())
        await sign_up(by_https(mallory), "mallory")
        row = await Row.objects.aget(type="webauthn")
        path = f"second-factor/passkeys/{row.pk}/remove/"
        assert (await submit_form(mallory, path)).status_code == 404
        assert await Row.objects.filter(pk=row.pk).aexists()


async def test_passkeys_of_a_user_are_limited_and_named(monkeypatch):
    monkeypatch.setattr(passkeys, "MAX_PASSKEYS", 2)
    async with browser() as alice:
        alice.client.defaults["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"
        await sign_up(by_https(alice))
        page = (await alice.client.get(f"/account/{NEW}")).content.decode()
        assert 'value="Firefox on Linux"' in page
        await create(alice, Authenticator(id=b"1" * 32), name="")
        too_long = await create(alice, Authenticator(id=b"2" * 32), name="x" * 61)
        assert "at most 60 characters" in await notices(alice, too_long)
        await create(alice, Authenticator(id=b"2" * 32), name="<b>")
        assert "You have 2 passkeys" in await notices(alice, await create(alice, Authenticator(id=b"3" * 32)))
        names = [str(row) async for row in Row.objects.filter(type="webauthn").order_by("pk")]
        assert names == ["Passkey", "<b>"]
        assert b"<b>" not in (await alice.client.get("/account/second-factor/")).content
