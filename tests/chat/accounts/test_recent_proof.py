"""What is dangerous needs a password or a code that is less than fifteen minutes old."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client

from chat.accounts.access.sessions import store as session_store
from chat.accounts.models import Token, UserSession
from queueing.control.operator_action import Confirm
from queueing.dashboard.forms import OFFERED
from queueing.models import LimitOverride
from tests.attack.victim import everything
from tests.chat.accounts.account_client import PASSWORD, sign_up, submit_form
from tests.chat.browser import browser
from tests.support.proof import prove

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

_OLD, _YOUNG = 15 * 60 + 5, 14 * 60


@pytest.fixture
def root() -> Client:
    """The browser of a superuser who signed in a while ago."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", None, PASSWORD))
    prove(client, ago=_OLD)
    return client


def confirm(client: Client, asked: Any) -> Any:
    """Give the password on the page to which `asked` leads."""
    assert asked["Location"].startswith("/account/confirm/?next="), asked["Location"]
    return client.post(asked["Location"], {"password": PASSWORD})


# --- the dashboard ----------------------------------------------------------------------------------


def _perform(client: Client, name: str) -> Any:
    body = json.dumps({"queue": "openai-chat", "confirm": "openai-chat", "concurrency": "9"})
    return client.post(f"/admin/queue/{name}", body, content_type="application/json")


_DANGEROUS = sorted(name for name, action in OFFERED.items() if action.confirm != Confirm.NO)


@pytest.mark.parametrize("name", _DANGEROUS)
def test_action_of_the_dashboard_that_is_not_undone_needs_a_recent_proof(root: Client, name: str):
    before = everything()
    for response in (root.get(f"/admin/queue/confirm/{name}?queue=openai-chat"), _perform(root, name)):
        assert (response.status_code, response.json()["proof"]) == (403, "/account/confirm/")
    assert everything() == before


def test_dangerous_actions_are_those_that_no_other_action_undoes():
    assert {"drain", "clean", "set_limits", "retry_group", "retry"} <= set(_DANGEROUS)
    assert not {"pause", "resume"} & set(_DANGEROUS)


def test_limits_change_with_a_recent_proof(root: Client):
    prove(root, ago=_YOUNG)
    assert _perform(root, "set_limits").status_code == 200
    assert LimitOverride.objects.exists()


def test_pause_in_an_emergency_needs_no_proof(root: Client):
    assert _perform(root, "pause").status_code == 200
    assert _perform(root, "resume").status_code == 200


# --- the admin --------------------------------------------------------------------------------------


def test_form_of_the_admin_is_carried_out_after_the_proof(root: Client):
    fields = {"username": "carol", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    asked = root.post("/admin/auth/user/add/", fields)
    assert not User.objects.filter(username="carol").exists()
    wrong = root.post(asked["Location"], {"password": "a guess"})
    assert wrong.status_code == 200
    assert not User.objects.filter(username="carol").exists()
    confirm(root, asked)
    assert User.objects.filter(username="carol").exists()


def test_user_is_deleted_and_gets_rights_only_with_a_recent_proof(root: Client):
    bob = User.objects.create_user("bob", None, PASSWORD)
    rights = {"username": "bob", "is_active": "on", "is_superuser": "on"}
    rights |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    for page, fields in (("delete", {"post": "yes"}), ("change", rights)):
        asked = root.post(f"/admin/auth/user/{bob.pk}/{page}/", fields)
        assert asked.status_code == 302
        assert asked["Location"].startswith("/account/confirm/")
    bob.refresh_from_db()
    assert not bob.is_superuser


def test_sign_out_of_the_admin_needs_no_proof(root: Client):
    root.post("/admin/logout/")
    assert root.get("/admin/")["Location"].startswith("/admin/login/")


def test_proof_for_a_form_without_permission_gives_none():
    client = Client()
    user = User.objects.create_user("olga", None, PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(user)
    prove(client, ago=_OLD)
    fields = {"username": "carol", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    asked = client.post("/admin/auth/user/add/", fields)
    assert confirm(client, asked).status_code == 403
    assert not User.objects.filter(username="carol").exists()


# --- one's own account ------------------------------------------------------------------------------


def _no_tokens() -> bool:
    return not Token.objects.exists()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("tokens/", {"name": "x", "scopes": ["read"], "days": "90"}),
        ("sessions/end-others/", {}),
        ("second-factor/app/", {"code": "123456"}),
    ],
)
async def test_change_of_the_account_needs_a_recent_proof(path: str, fields: dict[str, Any]):
    async with browser() as alice:
        await sign_up(alice)
        await sync_to_async(prove)(alice.client, ago=_OLD)
        asked = await submit_form(alice, path, **fields)
        assert asked["Location"].startswith("/account/confirm/?next=")
        assert await sync_to_async(_no_tokens)()


async def test_proof_gives_the_session_another_key_and_ends_the_former_one(monkeypatch):
    """ASVS 7.2.4: who has copied the cookie is signed out. Requests on their way are served."""
    async with browser() as alice, browser() as thief:
        await sign_up(alice)
        former = alice.client.cookies["sessionid"].value
        thief.client.cookies["sessionid"] = former
        await submit_form(alice, "confirm/?next=/account/", password="wrong")
        assert alice.client.cookies["sessionid"].value == former
        await submit_form(alice, "confirm/?next=/account/", password=PASSWORD)
        assert alice.client.cookies["sessionid"].value != former
        assert (await thief.client.get("/account/sessions/")).status_code == 200, "on its way"
        monkeypatch.setattr(session_store, "GRACE", -1)
        assert (await thief.client.get("/account/sessions/")).status_code == 302
        assert (await alice.client.get("/account/sessions/")).status_code == 200
        assert await UserSession.objects.acount() == await user_sessions() == 1


async def user_sessions() -> int:
    """Return the number of stored sessions in which the user is signed in."""
    known = UserSession.objects.values("session_key")
    return await Session.objects.filter(session_key__in=known).acount()


async def test_token_is_created_and_shown_after_the_proof():
    async with browser() as alice:
        await sign_up(alice)
        await sync_to_async(prove)(alice.client, ago=_OLD)
        await submit_form(alice, "tokens/", name="x", scopes=["read"], days="90")
        shown = await submit_form(alice, "confirm/?next=/account/tokens/", password=PASSWORD)
        assert b"Copy the token now" in shown.content
        assert await Token.objects.acount() == 1


async def test_export_of_a_user_needs_a_recent_proof_and_that_of_a_visitor_has_none():
    async with browser() as alice, browser() as visitor:
        await sign_up(alice)
        await sync_to_async(prove)(alice.client, ago=_OLD)
        asked = await alice.client.get("/account/export/")
        assert asked["Location"] == "/account/confirm/?next=%2Faccount%2F"
        page = (await alice.client.get(asked["Location"])).content
        assert b"Then download your data" in page
        await submit_form(alice, "confirm/?next=/account/", password=PASSWORD)
        assert (await alice.client.get("/account/export/")).status_code == 200
        assert (await visitor.client.get("/account/export/")).status_code == 200
