"""Answers of passkeys that are for another page, copied, broken or late are refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator as Row
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from chat.accounts.signing_in import second_factor
from tests.chat.accounts.account_client import (
    sign_in,
    sign_up,
    submit_form,
)
from tests.chat.browser import Browser, browser
from tests.support.authenticator import Authenticator, encoded

from .steps import (
    CODE,
    CONFIRM,
    NEW,
    SIGN_IN,
    asked_to_sign_in,
    by_https,
    create,
    is_signed_in,
    notices,
    question,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


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
            thief, await submit_form(thief, SIGN_IN, credential=answer)
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
            assert await accepted(phone, SIGN_IN, await asked_to_sign_in(phone)) is right
            assert await is_signed_in(phone) is right
            await submit_form(phone, "sign-out/")
            assert (f"user {user.pk} counted {passkey.counter} after" in caplog.text) is not right
            caplog.clear()
        for passkey.counter, right in ((9, False), (10, True)):
            await sign_in(phone)
            assert await accepted(phone, CODE, await question(phone, CODE)) is right
        for passkey.counter, right in ((10, False), (11, True)):
            assert await accepted(alice, CONFIRM, await question(alice, CONFIRM)) is right


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
            assert (await submit_form(thief, SIGN_IN, credential=answer)).status_code == 302
            assert await is_signed_in(thief)
            await submit_form(thief, "sign-out/")
        statuses = []
        for _ in range(4):
            forged = Authenticator(id=passkey.id, user_handle=passkey.user_handle)
            answer = forged.get(await asked_to_sign_in(thief))
            statuses.append((await submit_form(thief, SIGN_IN, credential=answer)).status_code)
        assert statuses == [302, 302, 302, 429]
        for _ in range(3):
            answer = forged.get(await question(alice, CONFIRM))
            await submit_form(alice, CONFIRM, credential=answer)
        assert (await submit_form(alice, CONFIRM, credential="{}")).status_code == 302, (
            "an empty one is no try"
        )
        answer = passkey.get(await question(alice, CONFIRM))
        assert (await submit_form(alice, CONFIRM, credential=answer)).status_code == 429


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
            answer = await submit_form(thief, SIGN_IN, credential=credential)
            assert answer.status_code == 302, credential[:200]
        assert not await is_signed_in(thief)
        for credential in broken(passkey.create(await question(alice, NEW))):
            answer = await submit_form(alice, NEW, credential=credential)
            assert answer.status_code == 302, credential[:200]
        assert await Row.objects.filter(type="webauthn").acount() == 1
        assert (await submit_form(thief, SIGN_IN, credential=right)).status_code == 302
        assert await is_signed_in(thief), "the whole answer is right"
