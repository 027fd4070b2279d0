"""A passkey as the second factor of staff, and as a recent proof."""

import html
import re

import pytest
from allauth.mfa.models import Authenticator as Row
from asgiref.sync import sync_to_async

from tests.chat.accounts.account_client import (
    sign_in,
    sign_up,
    submit_form,
)
from tests.chat.accounts.signing_in.factor_steps import FOR_STAFF, answers, superuser
from tests.chat.browser import browser
from tests.support.authenticator import Authenticator
from tests.support.proof import prove

from .steps import (
    CONFIRM,
    NEW,
    SIGN_IN,
    asked_to_sign_in,
    by_https,
    create,
    question,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_passkey_is_the_second_factor_of_staff_and_the_last_one_stays(required):
    await superuser()
    passkey = Authenticator()
    async with browser() as carol, browser() as phone:
        await sign_in(by_https(carol), "carol")
        page = await carol.client.get("/admin/", follow=True)
        assert f'href="/account/{NEW}"' in page.content.decode()
        await create(carol, passkey)
        assert set((await answers(carol)).values()) == {200}
        by_https(phone)
        answer = passkey.get(await asked_to_sign_in(phone))
        await submit_form(phone, SIGN_IN, credential=answer)
        assert set((await answers(phone)).values()) == {200}
        row = await Row.objects.aget(type="webauthn")
        kept = await submit_form(phone, f"second-factor/passkeys/{row.pk}/remove/")
        assert b"this is the only one" in kept.content
        assert await Row.objects.filter(pk=row.pk).aexists()


async def test_session_of_staff_from_before_the_passkey_needs_it(required):
    await superuser()
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone:
        for one in (laptop, phone):
            await sign_in(by_https(one), "carol")
        await create(phone, passkey)
        assert await answers(laptop) == FOR_STAFF
        page = await laptop.client.get("/admin/", follow=True)
        assert page.redirect_chain[-1][0].startswith(f"/account/{CONFIRM}")
        answer = passkey.get(await question(laptop, CONFIRM))
        done = await submit_form(laptop, CONFIRM, credential=answer, next="/admin/queue")
        assert done["Location"] == "/admin/queue"
        assert set((await answers(laptop)).values()) == {200}


async def test_passkey_is_a_recent_proof_after_which_the_form_is_carried_out():
    passkey = Authenticator()
    async with browser() as alice:
        await sign_up(by_https(alice))
        await create(alice, passkey)
        await sync_to_async(prove)(alice.client, ago=16 * 60)
        asked = await submit_form(alice, "tokens/", name="x", scopes=["read"], days="90")
        page = (await alice.client.get(asked["Location"])).content.decode()
        (link,) = re.findall(r'href="([^"]*)">Use a passkey</a>', page)
        path = html.unescape(link).removeprefix("/account/")
        wrong = await submit_form(alice, path, credential="{}")
        assert wrong["Location"] == f"/account/{path}"
        answer = passkey.get(await question(alice, path))
        shown = await submit_form(alice, path, credential=answer)
        assert b"Copy the token now" in shown.content


async def test_user_who_signed_in_with_a_passkey_is_asked_for_it_first():
    passkey = Authenticator()
    async with browser() as alice, browser() as phone:
        await sign_up(by_https(alice))
        await create(alice, passkey)
        by_https(phone)
        await submit_form(phone, SIGN_IN, credential=passkey.get(await asked_to_sign_in(phone)))

        def grow_old() -> None:
            session = phone.client.session
            session["account_authentication_methods"][0]["at"] -= 16 * 60
            session.save()

        await sync_to_async(grow_old)()
        asked = await submit_form(phone, "sessions/end-others/")
        assert asked["Location"].startswith(f"/account/{CONFIRM}?next=")
