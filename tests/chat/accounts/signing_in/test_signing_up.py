"""Who may create an account: the modes of SIGN_UP, invitations, and domains of addresses."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from chat.accounts.access import blocks
from chat.accounts.models import Block, Invitation
from chat.accounts.signing_in import signing_up
from tests.attack.actors import superuser
from tests.chat.accounts.account_client import (
    code_in,
    enter_address,
    sign_up,
    sign_up_with_address,
    submit_form,
)
from tests.chat.browser import browser
from tests.support.mail import outbox
from tests.support.proof import prove

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def invitation(**more: Any) -> str:
    """Return the path of the link of a new invitation."""
    fields = {"note": "for Bob", "ends_at": timezone.now() + timedelta(days=1), "actor": "operator"}
    return signing_up.invite(**fields | more)[1]


@pytest.mark.parametrize("mode", ["closed", "oidc", "invited"])
async def test_closed_sign_up_creates_no_account(settings: Any, mode: str):
    settings.SIGN_UP = mode
    async with browser() as alice:
        page = await alice.client.get("/account/sign-up/?invitation=nonsense")
        assert b'name="password1"' not in page.content
        await sign_up(alice)
        assert not await User.objects.aexists()


async def test_invitation_makes_one_account(settings: Any):
    settings.SIGN_UP = "invited"
    link = await sync_to_async(invitation)()
    async with browser() as bob, browser() as eve:
        for one in (bob, eve):
            assert b'name="password1"' in (await one.client.get(link)).content
        assert (await sign_up(bob, "bob"))["Location"] == "/"
        await sign_up(eve, "eve")
        assert b'name="password1"' not in (await eve.client.get(link)).content
    assert [user.username async for user in User.objects.all()] == ["bob"]
    row = await Invitation.objects.select_related("used_by").aget()
    assert row.used_by is not None
    assert row.used_by.username == "bob"
    secret = parse_qs(urlsplit(link).query)["invitation"][0]
    assert secret not in str(vars(row)), "the database cannot be used to sign up"


async def test_invitation_that_has_ended_or_was_deleted_makes_none(settings: Any):
    settings.SIGN_UP = "invited"
    link = await sync_to_async(invitation)()
    async with browser() as bob:
        await bob.client.get(link)
        await Invitation.objects.aupdate(ends_at=timezone.now() - timedelta(seconds=1))
        await sign_up(bob, "bob")
        assert b'name="password1"' not in (await bob.client.get(link)).content
        assert not await User.objects.aexists()


async def test_invitation_is_used_when_the_address_is_verified(settings: Any, mail_server: Any):
    settings.SIGN_UP = "invited"
    link = await sync_to_async(invitation)()
    async with browser() as bob, browser() as eve:
        for one in (bob, eve):
            await one.client.get(link)
        await enter_address(eve, "eve@example.org")
        code = code_in((await outbox())[-1])
        await sign_up_with_address(bob, "bob@example.org")
        late = await submit_form(eve, "sign-up/code/", code=code)
        assert late["Location"].startswith("/account/sign-up/")
    assert [user.email async for user in User.objects.all()] == ["bob@example.org"]


@pytest.mark.parametrize(
    ("email", "allowed"),
    [
        ("bob@example.org", True),
        ("bob@EXAMPLE.org", True),
        ("bob@sub.example.org", False),
        ("bob@example.org.evil.example", False),
        ("bob@notexample.org", False),
        ('"x@example.org"@evil.example', False),
    ],
)
async def test_only_addresses_of_the_domains_get_an_account(
    settings: Any, mail_server: Any, email: str, allowed: bool
):
    settings.SIGN_UP_DOMAINS = ["Example.org"]
    async with browser() as bob:
        response = await enter_address(bob, email)
        assert (response.status_code == 302) is allowed


async def test_domains_without_a_mail_server_close_the_sign_up(settings: Any):
    """A name proves no domain."""
    settings.SIGN_UP_DOMAINS = ["example.org"]
    async with browser() as bob:
        await sign_up(bob, "bob")
    assert not await User.objects.aexists()


# --- operators ---


def operator() -> Client:
    root, client = superuser(), Client()
    assert root.user
    client.force_login(root.user)
    prove(client)
    return client


def test_operator_invites_and_blocks_in_the_admin(settings: Any):
    settings.SIGN_UP = "invited"
    client = operator()
    fields = {"note": "for Bob", "ends_at_0": "2099-01-01", "ends_at_1": "12:00"}
    page = client.post("/admin/accounts/invitation/add/", fields, follow=True).content.decode()
    [link] = re.findall(r"http://testserver(/account/sign-up/\?invitation=[\w-]+)", page)
    assert b'name="password1"' in Client().get(link).content
    assert link not in client.get("/admin/accounts/invitation/").content.decode()
    User.objects.create_user("mallory")
    fields = {"who": "mallory", "reason": "Spam.", "days": "2"}
    assert client.get("/admin/accounts/block/add/?who=mallory").status_code == 200
    assert client.post("/admin/accounts/block/add/", fields).status_code == 302
    row = Block.objects.get()
    assert (row.reason, row.created_by, row.is_active) == ("Spam.", "root", True)
    client.post("/admin/accounts/block/", {"action": "lift", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert (row.lifted_by, row.is_active) == ("root", False)
    client.post(f"/admin/accounts/block/{row.pk}/change/", {"reason": "Other"})
    row.refresh_from_db()
    assert row.reason == "Spam."


@pytest.mark.parametrize(
    ("who", "reason", "says"),
    [
        ("root", "Spam.", "Staff are not blocked"),
        ("no-such-user", "Spam.", "no such user"),
        ("u:99", "Spam.", "no such user"),
        ("0.0.0.0/0", "Spam.", "too large"),
        ("::/0", "Spam.", "too large"),
        ("127.0.0.1", " ", "required"),
    ],
)
def test_wrong_block_is_refused_in_the_admin_with_its_reason(who: str, reason: str, says: str):
    page = operator().post("/admin/accounts/block/add/", {"who": who, "reason": reason}).content.decode()
    assert says in page
    assert not Block.objects.exists()


def test_block_of_the_operators_own_network_warns():
    page = operator().post("/admin/accounts/block/add/", {"who": "127.0.0.1", "reason": "x"}, follow=True)
    assert "your own address" in page.content.decode()


def test_commands_block_list_and_unblock():
    User.objects.create_user("mallory")
    out = StringIO()
    call_command("block", "mallory", reason="Spam\x1b[2J.", days=1, stdout=out)
    call_command("block", "2001:db8::7", reason="Noise.", stdout=out)
    call_command("block", stdout=out)
    assert "2001:db8::/64" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    number = Block.objects.get(network="").pk
    call_command("unblock", number, stdout=out)
    with pytest.raises(CommandError):
        call_command("unblock", number, stdout=out)
    with pytest.raises(CommandError, match="reason"):
        call_command("block", "mallory", stdout=out)
    call_command("invite", note="for Bob", stdout=out, stderr=out)
    assert "/account/sign-up/?invitation=" in out.getvalue()


@pytest.mark.parametrize(
    ("network", "address", "found"),
    [
        ("192.0.2.0/24", "192.0.2.77", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64", True),
        ("2001:db8::/32", "2001:db8:1:2::/64", True),
        ("2001:db8:1::/48", "2001:db8:2::/64", False),
        ("10.0.0.0/8", "2001:db8:1:2::/64", False),
        ("10.0.0.0/8", "", False),
    ],
)
def test_network_of_a_client_is_found_in_a_blocked_one(network: str, address: str, found: bool):
    call_command("block", network, reason="Noise.", stdout=StringIO())
    blocks.read_again()
    assert (blocks.current().find("s:x", address) is not None) is found
    blocks.read_again()


async def test_banner_of_the_operator_is_shown_as_text(settings: Any):
    settings.BANNER = "Maintenance <b>today</b> & tomorrow"
    async with browser() as alice:
        for path in ("/", "/account/sign-in/", "/account/"):
            page = (await alice.client.get(path)).content.decode()
            assert "Maintenance &lt;b&gt;today&lt;/b&gt; &amp; tomorrow" in page, path
