"""Passkeys: signing in alone, as a second factor, and as a recent proof."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator as Row
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from chat.accounts.pages import passkeys
from chat.accounts.signing_in import second_factor
from tests.chat.browser import Browser, browser
from tests.support.authenticator import Authenticator, encoded
from tests.support.mail import outbox
from tests.support.proof import prove

from .account_client import (
    send_message,
    sign_in,
    sign_up,
    sign_up_with_address,
    submit_form,
    thread_titles,
)
from .signing_in.test_second_factor import FOR_STAFF, answers, clock, code_of, required, set_up, superuser  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

_NEW, _CONFIRM = "second-factor/passkeys/new/", "second-factor/passkeys/confirm/"
_SIGN_IN, _CODE = "sign-in/passkey/", "second-factor/code/"


@pytest.fixture(autouse=True)
def https(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


def by_https(one: Browser) -> Browser:
    """Return the browser, which opens the site over HTTPS."""
    one.client.defaults |= {"x-forwarded-proto": "https", "referer": "https://testserver/"}
    return one


async def question(one: Browser, path: str) -> Any:
    """Return the question in a page, as its script reads it."""
    page = (await one.client.get(f"/account/{path}")).content.decode()
    found = re.search(r'<script id="question" type="application/json">(.*?)</script>', page)
    assert found, page
    return next(iter(json.loads(found[1]).values()))


async def asked_to_sign_in(one: Browser) -> Any:
    answer = await one.client.get(f"/account/{_SIGN_IN}", headers={"Accept": "application/json"})
    return answer.json()["request_options"]


async def create(one: Browser, passkey: Authenticator, name: str = "My phone") -> Any:
    credential = passkey.create(await question(one, _NEW))
    return await submit_form(one, _NEW, name=name, credential=credential)


async def notices(one: Browser, response: Any) -> str:
    """Return the page to which a response leads."""
    return html.unescape((await one.client.get(response["Location"])).content.decode())


async def is_signed_in(one: Browser) -> bool:
    return "Sign out" in (await one.client.get("/account/")).content.decode()


# --- creating, signing in, removing -----------------------------------------------------------------


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
        done = await submit_form(phone, _SIGN_IN, credential=answer, next="/account/sessions/")
        assert done["Location"] == "/account/sessions/"
        assert await thread_titles(phone) == ["On the phone"]
        assert "last used" in (await laptop.client.get("/account/second-factor/")).content.decode()


async def test_answer_of_a_passkey_signs_in_once():
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone, browser() as thief:
        await sign_up(by_https(laptop))
        await create(laptop, passkey)
        answer = passkey.get(await asked_to_sign_in(by_https(phone)))
        await submit_form(phone, _SIGN_IN, credential=answer)
        assert await is_signed_in(phone)
        await asked_to_sign_in(by_https(thief))
        for one in (thief, phone):
            await submit_form(one, "sign-out/")
            refused = await submit_form(one, _SIGN_IN, credential=answer)
            assert "was not accepted" in await notices(one, refused)
            assert not await is_signed_in(one)


async def test_deactivated_user_is_not_signed_in_and_removed_passkey_opens_nothing():
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone:
        await sign_up(by_https(laptop))
        await create(laptop, passkey)
        await User.objects.aupdate(is_active=False)
        answer = passkey.get(await asked_to_sign_in(by_https(phone)))
        assert (await submit_form(phone, _SIGN_IN, credential=answer))["Location"] == "/account/inactive/"
        await User.objects.aupdate(is_active=True)
        await sync_to_async(prove)(laptop.client) if await is_signed_in(laptop) else None
        row = await Row.objects.aget(type="webauthn")
        await row.adelete()
        answer = passkey.get(await asked_to_sign_in(phone))
        await submit_form(phone, _SIGN_IN, credential=answer)
        assert not await is_signed_in(phone)


async def test_password_alone_no_longer_signs_in_and_the_passkey_is_the_second_step():
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone:
        await sign_up(by_https(laptop))
        await create(laptop, passkey)
        assert (await sign_in(by_https(phone)))["Location"] == f"/account/{_CODE}"
        assert not await is_signed_in(phone)
        asked = await question(phone, _CODE)
        assert [one["id"] for one in asked["publicKey"]["allowCredentials"]] == [encoded(passkey.id)]
        wrong = await submit_form(phone, _CODE, credential=Authenticator(id=passkey.id).get(asked))
        assert b"was not accepted" in wrong.content
        done = await submit_form(phone, _CODE, credential=passkey.get(await question(phone, _CODE)))
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
        page = (await alice.client.get(f"/account/{_NEW}")).content.decode()
        assert 'value="Firefox on Linux"' in page
        await create(alice, Authenticator(id=b"1" * 32), name="")
        too_long = await create(alice, Authenticator(id=b"2" * 32), name="x" * 61)
        assert "at most 60 characters" in await notices(alice, too_long)
        await create(alice, Authenticator(id=b"2" * 32), name="<b>")
        assert "You have 2 passkeys" in await notices(alice, await create(alice, Authenticator(id=b"3" * 32)))
        names = [str(row) async for row in Row.objects.filter(type="webauthn").order_by("pk")]
        assert names == ["Passkey", "<b>"]
        assert b"<b>" not in (await alice.client.get("/account/second-factor/")).content


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.testserver"},
        {"origin": "https://testserver:8443"},
        {"origin": "http://testserver"},
        {"origin": "https://testserver.evil.example"},
        {"origin": "https://app.testserver"},
        {"rp_id": "evil.example"},
        {"is_framed": True},
        {"verifies": False},
    ],
)
async def test_passkey_for_another_page_or_without_a_pin_is_refused(lie, settings):
    """Whole origins, as for sockets (S7): a page of a subdomain may ask for the passkeys of the site.

    So may the front end, if it is on a subdomain. The account pages, and with them passkeys, are not there.
    """
    settings.CLIENT_URL = "https://app.testserver"
    passkey = Authenticator()
    async with browser() as alice, browser() as thief:
        await sign_up(by_https(alice))
        refused = await create(alice, Authenticator(**lie))
        assert "was not accepted" in await notices(alice, refused)
        assert not await Row.objects.aexists()
        await create(alice, passkey)
        for name, value in lie.items():
            setattr(passkey, name, value)
        answer = passkey.get(await asked_to_sign_in(by_https(thief)))
        assert "was not accepted" in await notices(
            thief, await submit_form(thief, _SIGN_IN, credential=answer)
        )
        assert not await is_signed_in(thief)


async def test_passkey_whose_counter_does_not_go_on_is_refused_at_every_door_and_reported(caplog):
    """WebAuthn 7.2, step 22: a copy signs as well as its original, and knows only an earlier counter."""
    passkey = Authenticator(counter=5)
    async with browser() as alice, browser() as phone:
        await sign_up(by_https(alice))
        await create(alice, passkey)
        user = await User.objects.aget()

        async def accepted(one: Browser, path: str, options: Any) -> bool:
            answer = await submit_form(one, path, credential=passkey.get(options))
            return answer.status_code == 302 and answer["Location"] not in (
                f"/account/{path}",
                "/account/sign-in/",
            )

        by_https(phone)
        for passkey.counter, right in ((4, False), (5, False), (0, False), (6, True), (6, False), (9, True)):
            assert await accepted(phone, _SIGN_IN, await asked_to_sign_in(phone)) is right
            assert await is_signed_in(phone) is right
            await submit_form(phone, "sign-out/")
            assert (f"user {user.pk} counted {passkey.counter} after" in caplog.text) is not right
            caplog.clear()
        for passkey.counter, right in ((9, False), (10, True)):
            await sign_in(phone)
            assert await accepted(phone, _CODE, await question(phone, _CODE)) is right
        for passkey.counter, right in ((10, False), (11, True)):
            assert await accepted(alice, _CONFIRM, await question(alice, _CONFIRM)) is right


async def test_answers_of_a_passkey_and_its_copy_at_the_same_time_count_once():
    async with browser() as alice:
        await sign_up(by_https(alice))
        await create(alice, Authenticator(counter=5))
        rows = [await Row.objects.aget(type="webauthn") for _ in range(2)]
        assert [await sync_to_async(second_factor.counts_on)(row, 6) for row in rows] == [True, False]


async def test_tries_of_passkeys_are_counted_and_right_ones_are_not(settings):
    settings.LIMITS = settings.LIMITS | {"login": "3/minute", "account": "3/minute"}
    passkey = Authenticator()
    async with browser() as alice, browser() as thief:
        await sign_up(by_https(alice))
        settings.LIMITS = settings.LIMITS | {"login": "3/minute"}
        await create(alice, passkey)
        by_https(thief)
        for _ in range(4):
            answer = passkey.get(await asked_to_sign_in(thief))
            assert (await submit_form(thief, _SIGN_IN, credential=answer)).status_code == 302
            assert await is_signed_in(thief)
            await submit_form(thief, "sign-out/")
        statuses = []
        for _ in range(4):
            forged = Authenticator(id=passkey.id, user_handle=passkey.user_handle)
            answer = forged.get(await asked_to_sign_in(thief))
            statuses.append((await submit_form(thief, _SIGN_IN, credential=answer)).status_code)
        assert statuses == [302, 302, 302, 429]
        for _ in range(3):
            answer = forged.get(await question(alice, _CONFIRM))
            await submit_form(alice, _CONFIRM, credential=answer)
        assert (await submit_form(alice, _CONFIRM, credential="{}")).status_code == 302, (
            "an empty one is no try"
        )
        answer = passkey.get(await question(alice, _CONFIRM))
        assert (await submit_form(alice, _CONFIRM, credential=answer)).status_code == 429


_ODD = ["[]", "5", "null", '"x"', "[[]]", '{"response": 5}', "[" * 9_000, '{"a":' * 9_000, "", "{", "{}"]
_DEEP = encoded(b"\x81" * 20_000)
_VALUES = (None, 5, [], {}, "é", "", encoded(b"{}"), encoded(b"x"), encoded(b"z" * 14), _DEEP)


def broken(right: str) -> Iterator[str]:
    """Yield what is no answer, and a right one in which a part is missing or exchanged.

    The id is only repeated, and type and extensions are not asked for.
    """
    yield from _ODD
    whole = json.loads(right)
    for name in ("rawId", "response"):
        yield json.dumps({key: value for key, value in whole.items() if key != name})
        yield from (json.dumps(whole | {name: value}) for value in _VALUES)
    for name in whole["response"]:
        for value in _VALUES:
            yield json.dumps(whole | {"response": whole["response"] | {name: value}})


async def test_hostile_answers_are_refused_and_never_an_error(settings):
    """Parts of a right answer are exchanged or missing, nested deeply, or of another type."""
    settings.LIMITS = settings.LIMITS | {"login": "", "account": "", "requests": ""}
    passkey = Authenticator()
    async with browser() as alice, browser() as thief:
        await sign_up(by_https(alice))
        await create(alice, passkey)
        right = passkey.get(await asked_to_sign_in(by_https(thief)))
        for credential in broken(right):
            answer = await submit_form(thief, _SIGN_IN, credential=credential)
            assert answer.status_code == 302, credential[:200]
        assert not await is_signed_in(thief)
        for credential in broken(passkey.create(await question(alice, _NEW))):
            answer = await submit_form(alice, _NEW, credential=credential)
            assert answer.status_code == 302, credential[:200]
        assert await Row.objects.filter(type="webauthn").acount() == 1
        assert (await submit_form(thief, _SIGN_IN, credential=right)).status_code == 302
        assert await is_signed_in(thief), "the whole answer is right"


# --- staff, and recent proofs -------------------------------------------------------------------------


async def test_passkey_is_the_second_factor_of_staff_and_the_last_one_stays(required):  # noqa: F811
    await superuser()
    passkey = Authenticator()
    async with browser() as carol, browser() as phone:
        await sign_in(by_https(carol), "carol")
        page = await carol.client.get("/admin/", follow=True)
        assert f'href="/account/{_NEW}"' in page.content.decode()
        await create(carol, passkey)
        assert set((await answers(carol)).values()) == {200}
        by_https(phone)
        answer = passkey.get(await asked_to_sign_in(phone))
        await submit_form(phone, _SIGN_IN, credential=answer)
        assert set((await answers(phone)).values()) == {200}
        row = await Row.objects.aget(type="webauthn")
        kept = await submit_form(phone, f"second-factor/passkeys/{row.pk}/remove/")
        assert b"this is the only one" in kept.content
        assert await Row.objects.filter(pk=row.pk).aexists()


async def test_session_of_staff_from_before_the_passkey_needs_it(required):  # noqa: F811
    await superuser()
    passkey = Authenticator()
    async with browser() as laptop, browser() as phone:
        for one in (laptop, phone):
            await sign_in(by_https(one), "carol")
        await create(phone, passkey)
        assert await answers(laptop) == FOR_STAFF
        page = await laptop.client.get("/admin/", follow=True)
        assert page.redirect_chain[-1][0].startswith(f"/account/{_CONFIRM}")
        answer = passkey.get(await question(laptop, _CONFIRM))
        done = await submit_form(laptop, _CONFIRM, credential=answer, next="/admin/queue")
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
        await submit_form(phone, _SIGN_IN, credential=passkey.get(await asked_to_sign_in(phone)))

        def grow_old() -> None:
            session = phone.client.session
            session["account_authentication_methods"][0]["at"] -= 16 * 60
            session.save()

        await sync_to_async(grow_old)()
        asked = await submit_form(phone, "sessions/end-others/")
        assert asked["Location"].startswith(f"/account/{_CONFIRM}?next=")
