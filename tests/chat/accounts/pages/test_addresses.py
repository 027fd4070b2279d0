"""An e-mail address belongs to an account when its owner has entered the code from its mailbox (S1)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.chat.accounts.account_client import (
    PASSWORD,
    code_in,
    enter_address,
    send_message,
    sign_in,
    sign_up,
    sign_up_with_address,
    submit_form,
    thread_titles,
)
from tests.chat.browser import Browser, browser
from tests.support.hashers import MD5PasswordHasher
from tests.support.mail import delivered, outbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ALICE = "alice@example.org"


def shown(response: Any) -> str:
    """Return a page without what differs each time."""
    return re.sub(r'value="[^"]*"', "", response.content.decode())


async def later(alice: Browser) -> None:
    """Let the last proof of identity in this session be old."""
    session = await sync_to_async(alice.client.session.load)()
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    store = alice.client.session
    await sync_to_async(store.update)(session)
    await sync_to_async(store.save)()


@sync_to_async
def account_of_earlier_version(name: str = ALICE, password: str = PASSWORD) -> User:
    """Create an account as before addresses were verified: the name is an address."""
    user = User.objects.create_user(name, name, password)
    User.objects.filter(pk=user.pk).update(last_login=timezone.now() - timedelta(days=9))
    return user


# --- signing up -------------------------------------------------------------------------------------


async def test_account_with_an_address_exists_after_the_code_and_takes_over_the_conversations(mail_server):
    async with browser() as alice:
        await send_message(alice, "From before")
        response = await enter_address(alice, ALICE, next="/account/")
        assert response["Location"] == "/account/sign-up/code/"
        assert not await User.objects.aexists()
        done = await submit_form(alice, "sign-up/code/", code=code_in((await outbox())[-1]))
        assert (done.status_code, done["Location"]) == (302, "/account/")
        assert await thread_titles(alice) == ["From before"]
        address = await EmailAddress.objects.select_related("user").aget()
        assert (address.email, address.verified, address.user.email) == (ALICE, True, ALICE)
        assert "@" not in address.user.username


async def test_sign_up_with_the_address_of_an_account_looks_the_same_and_informs_its_owner(mail_server):
    async with browser() as alice, browser() as mallory, browser() as bob:
        await sign_up_with_address(alice)
        free = await enter_address(bob, "other@example.org", follow=True)
        taken = await enter_address(mallory, ALICE, follow=True)
        assert shown(taken).replace(ALICE, "other@example.org") == shown(free)
        assert taken.redirect_chain == free.redirect_chain
        assert (await outbox())[-1].to == [ALICE]
        assert "You have one already" in (await outbox())[-1].body
        assert not code_in((await outbox())[-1])
        wrong = await submit_form(mallory, "sign-up/code/", code="BBBB-BBBB")
        assert b"This code is wrong" in wrong.content
        assert await User.objects.acount() == 1


async def test_stranger_who_enters_an_address_first_blocks_and_learns_nothing(mail_server):
    async with browser() as mallory, browser() as alice:
        await enter_address(mallory, ALICE, password1="of-mallory-4711", password2="of-mallory-4711")
        assert (await sign_in(mallory, ALICE, "of-mallory-4711")).status_code == 200
        assert (await sign_up_with_address(alice)).status_code == 302
        refused = await submit_form(mallory, "sign-up/code/", code=code_in((await outbox())[-1]))
        assert refused.status_code == 200
        assert (await sign_in(mallory, ALICE, "of-mallory-4711")).status_code == 200
        assert await User.objects.acount() == 1


async def test_code_of_an_address_that_was_verified_meanwhile_creates_nothing(mail_server):
    async with browser() as first, browser() as second:
        await enter_address(first, ALICE)
        earlier = code_in((await outbox())[-1])
        await sign_up_with_address(second)
        await submit_form(first, "sign-up/code/", code=earlier)
        assert await User.objects.acount() == 1


async def test_three_wrong_codes_end_the_sign_up(mail_server):
    async with browser() as mallory:
        await enter_address(mallory, ALICE)
        code = code_in((await outbox())[-1])
        for _ in range(3):
            await submit_form(mallory, "sign-up/code/", code="BBBB-BBBB")
        late = await submit_form(mallory, "sign-up/code/", code=code)
        assert late["Location"] == "/account/sign-up/"
        assert not await User.objects.aexists()


async def test_expired_code_ends_the_sign_up_and_leaves_nothing_in_the_session(mail_server, settings):
    """ASVS 6.5.5: a code in a mail is valid for ten minutes at most, and mail and page say so."""
    assert settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT == 600
    async with browser() as alice:
        await enter_address(alice, ALICE)
        page = await alice.client.get("/account/sign-up/code/")
        for text in ((await outbox())[-1].body, page.content.decode()):
            assert "valid for 10 minutes" in text
        settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = -1
        late = await submit_form(alice, "sign-up/code/", code=code_in((await outbox())[-1]))
        assert late["Location"] == "/account/sign-up/"
        assert not await User.objects.aexists()
        assert ALICE not in str(await sync_to_async(alice.client.session.load)())


@pytest.mark.parametrize(
    "end", ["\nBcc: bob@example.org", "\r\n\r\nHello", "%0aBcc: x@y.z", "\x00", "\u2028x"]
)
async def test_line_breaks_in_an_address_or_a_name_reach_no_mail(mail_server, end):
    """ASVS 1.3.11."""
    async with browser() as alice, browser() as mallory:
        await sign_up_with_address(alice)
        sent = len(await outbox())
        for path in ("sign-up/", "reset/"):
            await submit_form(mallory, path, email=ALICE + end, password1=PASSWORD, password2=PASSWORD)
        await submit_form(alice, "email/", email=ALICE + end, action_add="1")
        assert len(await outbox()) == sent
        if end.isascii():
            mallory.client.defaults |= {"user-agent": f"Firefox{end}", "x-forwarded-for": f"192.0.2.1{end}"}
        await submit_form(mallory, "reset/", email=ALICE)
        for message in (await outbox())[sent:]:
            headers = message.message().as_string().partition("\n\n")[0]
            assert "Bcc" not in headers
            assert message.recipients() == [ALICE]


async def test_mails_to_one_address_are_limited(mail_server):
    mail_server.LIMITS = mail_server.LIMITS | {"mail": "2/hour"}
    async with browser() as mallory:
        for path in ("sign-up/", "reset/"):
            await submit_form(mallory, path, email=ALICE, password1=PASSWORD, password2=PASSWORD)
        refused = await submit_form(mallory, "reset/", email=ALICE)
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 1
        assert len(await outbox()) == 2
        assert (await submit_form(mallory, "reset/", email="bob@example.org")).status_code == 302


def test_links_in_mails_lead_to_the_configured_address(mail_server):
    """S6: the `Host` header of the request is the stranger's choice."""
    alice = User.objects.create_user("alice", password=PASSWORD)
    EmailAddress.objects.create(user=alice, email=ALICE, verified=True, primary=True)
    mallory = Client(headers={"host": "evil.example"})
    mallory.post("/account/reset/", {"email": ALICE})
    mallory.post("/account/reset/", {"email": "unknown@example.org"})
    mallory.post("/account/sign-up/", {"email": ALICE, "password1": PASSWORD, "password2": PASSWORD})
    assert len(delivered()) == 3
    for message in delivered():
        assert "https://buddy.example.org/account/" in message.body
        assert "evil.example" not in message.body + message.subject


# --- the same work for known and unknown addresses --------------------------------------------------


class CountingHasher(MD5PasswordHasher):
    """A hasher that counts its work: with a real one, each hash takes a tenth of a second."""

    hashes = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).hashes += 1
        return super().encode(password, salt)


@pytest.fixture
def hashes(settings):
    """Return a function that returns the number of hashes since its last call."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]

    def since() -> int:
        count, CountingHasher.hashes = CountingHasher.hashes, 0
        return count

    return since


async def test_sign_in_and_sign_up_hash_as_often_for_known_and_unknown_addresses(mail_server, hashes):
    async with browser() as alice, browser() as mallory:
        await sign_up_with_address(alice)
        await account_of_earlier_version("old@example.org")
        counts = []
        for name in (ALICE, "alice", "old@example.org", "unknown@example.org", "unknown"):
            hashes()
            await sign_in(mallory, name, "a guess")
            counts.append(hashes())
        assert counts == [1] * 5
        for address in (ALICE, "free@example.org"):
            await enter_address(mallory, address)
            counts.append(hashes())
        assert counts[5] == counts[6]


# --- the address of an account ----------------------------------------------------------------------


async def test_another_address_counts_after_its_code_and_the_old_one_is_notified(mail_server):
    async with browser() as alice:
        await sign_up_with_address(alice)
        await submit_form(alice, "email/", email="new@example.org", action_add="1")
        assert (await EmailAddress.objects.aget()).email == ALICE
        assert (await outbox())[-1].to == ["new@example.org"]
        await submit_form(alice, "email/code/", code=code_in((await outbox())[-1]))
        address = await EmailAddress.objects.select_related("user").aget()
        assert (address.email, address.verified, address.user.email) == (
            "new@example.org",
            True,
            address.email,
        )
        assert (await outbox())[-1].to == [ALICE]
        assert "is now new@example.org" in (await outbox())[-1].body
        async with browser() as phone:
            assert (await sign_in(phone, ALICE)).status_code == 200
            assert (await sign_in(phone, "new@example.org")).status_code == 302


async def test_address_of_another_account_is_not_taken_over(mail_server):
    async with browser() as alice, browser() as mallory:
        await sign_up_with_address(alice)
        await sign_up_with_address(mallory, "mallory@example.org")
        free = await submit_form(mallory, "email/", email="free@example.org", action_add="1", follow=True)
        taken = await submit_form(mallory, "email/", email=ALICE, action_add="1", follow=True)
        assert shown(free).replace("free@example.org", ALICE) == shown(taken)
        await submit_form(mallory, "email/code/", code=code_in((await outbox())[-1]))
        owner = await EmailAddress.objects.select_related("user").aget(email=ALICE, verified=True)
        assert owner.user.username == "alice"


@pytest.mark.parametrize("path", ["email/", "second-factor/app/"])
async def test_change_of_how_to_sign_in_asks_for_the_password_after_some_minutes(mail_server, path):
    async with browser() as alice:
        await sign_up_with_address(alice)
        await later(alice)
        sent = len(await outbox())
        asked = await submit_form(alice, path, email="new@example.org", action_add="1", code="123456")
        assert asked["Location"].startswith("/account/confirm/")
        assert len(await outbox()) == sent
        wrong = await submit_form(alice, f"confirm/?next=/account/{path}", password="a guess")
        assert b"This is not your password" in wrong.content
        right = await submit_form(alice, f"confirm/?next=/account/{path}", password=PASSWORD)
        assert right.status_code in (200, 302)


# --- accounts of an earlier version -----------------------------------------------------------------


async def test_account_of_an_earlier_version_signs_in_but_cannot_reset_before_it_verifies(mail_server):
    await account_of_earlier_version()
    async with browser() as alice, browser() as phone:
        await submit_form(phone, "reset/", email=ALICE)
        assert "No account has verified this address" in (await outbox())[-1].body
        assert (await sign_in(alice, ALICE)).status_code == 302
        page = (await alice.client.get("/account/")).content.decode()
        assert f"Verify {ALICE}" in page
        await alice.client.get("/account/email/")
        await submit_form(alice, "email/", email=ALICE, action_send="1")
        await submit_form(alice, "email/code/", code=code_in((await outbox())[-1]))
        assert "Verify" not in (await alice.client.get("/account/")).content.decode()
        await submit_form(phone, "reset/", email=ALICE)
        assert "https://buddy.example.org/account/reset/" in (await outbox())[-1].body


async def test_name_that_is_an_address_goes_to_the_account_that_verifies_it(mail_server):
    """S1: somebody signed up with the owner's address before addresses were verified."""
    squatter = await account_of_earlier_version(password="of-mallory-4711")
    async with browser() as alice, browser() as phone, browser() as mallory:
        await sign_up_with_address(alice)
        assert (await sign_in(phone)).status_code == 302
        assert (await sign_in(mallory, ALICE, "of-mallory-4711")).status_code == 200
        owner = await EmailAddress.objects.aget(email=ALICE, verified=True)
        assert owner.user_id != squatter.pk


# --- without a mail server --------------------------------------------------------------------------


async def test_site_without_mail_says_what_is_not_possible():
    async with browser() as alice:
        page = (await alice.client.get("/account/sign-up/")).content
        assert b"A forgotten password cannot be reset." in page
        for path in ("reset/", "email/", "email/code/", "sign-up/code/", "reset/1-abc/"):
            assert (await alice.client.get(f"/account/{path}")).status_code == 404
        assert (await sign_up(alice)).status_code == 302
        assert b"This site sends no e-mail" in (await alice.client.get("/account/")).content
        assert await outbox() == []
